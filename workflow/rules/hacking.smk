"""Reward hacking along fine-tuning; not in `all`, the target is `drpose_hacking`.

In:  snapshots of the family's runs (family.smk), PoseScore, latents of the validation sets
     (models.smk), their scans (data.smk), judge (benchmark.smk); hacking.yaml,
     posescore_held_out.yaml, evaluate.yaml. No benchmark.
Out: <results>/posescore_held_out/{model.safetensors,metrics.json,log.csv,examples.npz},
     <results>/hacking/{arm}/seed{seed}.csv, <results>/tables/drpose_hacking.{csv,md} and
     <results>/figures/fig_hacking.{png,pdf}.
"""

from poseloop.evaluate.hacking.config import HackingConfig, check_hacking

HACKING = or_exit(load_config, cfg("hacking"), HackingConfig)


use rule train_posescore as train_posescore_held_out with:
    input:
        code=code_of("train_posescore"),
        config=cfg("posescore_held_out"),
        latents=rules.encode_latents.output.scans,
        validation=rules.encode_latents.output.validation,
        multiview=rules.train_multiview.output.model,
        autoencoder=rules.train_autoencoder.output.model,
    output:
        model="<results>/posescore_held_out/model.safetensors",
        metrics="<results>/posescore_held_out/metrics.json",
        log="<results>/posescore_held_out/log.csv",
        examples="<results>/posescore_held_out/examples.npz",
    log:
        "<logs>/train_posescore_held_out.log",
    benchmark:
        "<benchmarks>/train_posescore_held_out.tsv"
    priority: 0
    threads: cores_of("posescore_held_out")
    resources:
        mem_mb=2500,
        gpu=gpus_of("posescore_held_out"),
    message:
        "Training a second PoseScore, by which nothing is trained"


rule measure_hacking:
    input:
        code=code_of("measure_hacking"),
        # Checked where it is used: other targets of a preset may have other sets.
        config=lambda wildcards: or_exit(
            check_hacking, cfg("hacking"), HACKING, STUDY, GRIDS["family"]
        )
        or cfg("hacking"),
        family=cfg("family"),
        evaluation=cfg("evaluate"),
        snapshots="<results>/family/{arm}/seed{seed}/snapshots.safetensors",
        autoencoder=rules.train_autoencoder.output.model,
        posescore=rules.train_posescore.output.model,
        held_out=rules.train_posescore_held_out.output.model,
        judge=rules.train_judge.output.model,
        latents=rules.encode_latents.output.validation,
        scans=collect("<results>/scans/{set}.npz", set=HACKING.sets),
    output:
        "<results>/hacking/{arm}/seed{seed}.csv",
    log:
        "<logs>/measure_hacking/{arm}/seed{seed}.log",
    benchmark:
        "<benchmarks>/measure_hacking/{arm}/seed{seed}.tsv"
    conda:
        "../../envs/gpu.yaml"
    threads: cores_of("hacking")
    resources:
        mem_mb=2500,
        gpu=gpus_of("hacking"),
    message:
        "Measuring reward hacking: {wildcards.arm}, seed {wildcards.seed}"
    shell:
        "python -m poseloop.runtime.launch {resources.gpu} scripts/measure_hacking.py"
        " --config {input.config} --family {input.family}"
        " --arm {wildcards.arm}"
        " --evaluation {input.evaluation} --snapshots {input.snapshots}"
        " --autoencoder {input.autoencoder} --posescore {input.posescore}"
        " --held-out {input.held_out} --judge {input.judge} --latents {input.latents}"
        " --scans {input.scans} --output {output} > {log} 2>&1"


rule drpose_hacking:
    input:
        code=code_of("report_hacking"),
        config=cfg("hacking"),
        report=cfg("report"),
        family=cfg("family"),
        runs=[
            f"<results>/hacking/{arm}/seed{seed}.csv"
            for arm in HACKING.arms
            for seed in GRIDS["family"].seeds
        ],
    output:
        csv="<results>/tables/drpose_hacking.csv",
        md="<results>/tables/drpose_hacking.md",
        png=report(
            "<results>/figures/fig_hacking.png",
            category="Figures",
            labels={"figure": "reward hacking"},
            caption="../report/fig_hacking.rst",
        ),
        pdf="<results>/figures/fig_hacking.pdf",
    log:
        "<logs>/drpose_hacking.log",
    benchmark:
        "<benchmarks>/drpose_hacking.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    message:
        "Writing the table and the figure of reward hacking"
    shell:
        "python scripts/report_hacking.py --config {input.config} --report {input.report}"
        " --family {input.family} --runs {input.runs}"
        " --table {output.csv} --figure {output.png} {output.pdf} > {log} 2>&1"
