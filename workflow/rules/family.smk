"""The family of fine-tuning methods on equal budgets; not in `all`, the target is `drpose_family`.

In:  base model, PoseScore and latents (models.smk), pose set and benchmarks (data.smk), judge
     (benchmark.smk); family.yaml with one entry per arm, generate.yaml, evaluate.yaml.
Out: <results>/family/oracle.npz,
     <results>/family/{arm}/seed{seed}/{model.safetensors,metrics.json,log.csv},
     <results>/family/samples/{arm}/seed{seed}/{benchmark}.npz,
     <results>/family/metrics/{arm}/seed{seed}.json and
     <results>/tables/{drpose_family.csv,drpose_family.md,drpose_family_cost.csv}.
"""

from poseloop.reward.family.config import FamilyConfig

FAMILY = or_exit(load_config, cfg("family"), FamilyConfig)
RUNS = [(arm, seed) for arm in FAMILY.arms for seed in STUDY.seeds]


wildcard_constraints:
    arm="|".join(FAMILY.arms),


rule make_oracle:
    input:
        code=code_of("make_oracle"),
        config=cfg("poseset"),
        encoding=cfg("autoencoder"),
        body=rules.bake_body.output.npz,
        poses=rules.render_poseset.output.images,
        autoencoder=rules.train_autoencoder.output.model,
        multiview=rules.train_multiview.output.model,
        posescore=rules.train_posescore.output.model,
    output:
        "<results>/family/oracle.npz",
    log:
        "<logs>/make_oracle.log",
    benchmark:
        "<benchmarks>/make_oracle.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: cores_of("poseset")
    resources:
        mem_mb=3000,
    message:
        "Rendering the pose set's views for the supervised upper bound"
    shell:
        "python scripts/make_oracle.py --config {input.config}"
        " --autoencoder-config {input.encoding} --body {input.body} --poses {input.poses}"
        " --autoencoder {input.autoencoder} --multiview {input.multiview}"
        " --posescore {input.posescore} --output {output} > {log} 2>&1"


rule finetune_family:
    input:
        code=code_of("finetune_family"),
        config=cfg("family"),
        multiview=rules.train_multiview.output.model,
        posescore=rules.train_posescore.output.model,
        poses=rules.render_poseset.output.images,
        poseset=rules.encode_latents.output.poseset,
        latents=rules.encode_latents.output.scans,
        validation=rules.encode_latents.output.validation,
        oracle=rules.make_oracle.output,
    output:
        model="<results>/family/{arm}/seed{seed}/model.safetensors",
        metrics="<results>/family/{arm}/seed{seed}/metrics.json",
        log="<results>/family/{arm}/seed{seed}/log.csv",
    log:
        "<logs>/finetune_family/{arm}/seed{seed}.log",
    benchmark:
        "<benchmarks>/finetune_family/{arm}/seed{seed}.tsv"
    conda:
        "../../envs/gpu.yaml"
    threads: cores_of("family")
    resources:
        mem_mb=3000,
        gpu=gpus_of("family"),
    message:
        "Fine-tuning: {wildcards.arm}, seed {wildcards.seed}"
    shell:
        "python scripts/finetune_family.py --config {input.config}"
        " --arm {wildcards.arm} --seed {wildcards.seed}"
        " --multiview {input.multiview} --posescore {input.posescore}"
        " --poses {input.poses} --poseset {input.poseset} --latents {input.latents}"
        " --oracle {input.oracle} --validation {input.validation}"
        " --output {output.model} --metrics {output.metrics} --log {output.log} > {log} 2>&1"


use rule generate as generate_family with:
    input:
        code=code_of("generate"),
        config=cfg("generate"),
        model=rules.finetune_family.output.model,
        autoencoder=rules.train_autoencoder.output.model,
        posescore=rules.train_posescore.output.model,
        benchmarks=rules.generate.input.benchmarks,
    output:
        collect(
            "<results>/family/samples/{{arm}}/seed{{seed}}/{benchmark}.npz",
            benchmark=STUDY.benchmarks,
        ),
    log:
        "<logs>/generate_family/{arm}/seed{seed}.log",
    benchmark:
        "<benchmarks>/generate_family/{arm}/seed{seed}.tsv"
    message:
        "Sampling the benchmarks: {wildcards.arm}, seed {wildcards.seed}"


use rule evaluate as evaluate_family with:
    input:
        code=code_of("evaluate"),
        config=cfg("evaluate"),
        assets=assets_of("evaluate"),
        judge=rules.train_judge.output.model,
        benchmarks=rules.generate.input.benchmarks,
        samples=rules.generate_family.output,
    output:
        "<results>/family/metrics/{arm}/seed{seed}.json",
    log:
        "<logs>/evaluate_family/{arm}/seed{seed}.log",
    benchmark:
        "<benchmarks>/evaluate_family/{arm}/seed{seed}.tsv"
    message:
        "Measuring {wildcards.arm}, seed {wildcards.seed}"


rule drpose_family:
    input:
        code=code_of("table_family"),
        config=cfg("report"),
        study=cfg("study"),
        family=cfg("family"),
        base=collect("<results>/metrics/base/seed{seed}.json", seed=STUDY.seeds),
        metrics=[
            f"<results>/family/metrics/{arm}/seed{seed}.json" for arm, seed in RUNS
        ],
        trained=[
            f"<results>/family/{arm}/seed{seed}/metrics.json" for arm, seed in RUNS
        ],
    output:
        csv="<results>/tables/drpose_family.csv",
        md="<results>/tables/drpose_family.md",
        cost="<results>/tables/drpose_family_cost.csv",
    log:
        "<logs>/drpose_family.log",
    benchmark:
        "<benchmarks>/drpose_family.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    # Times differ from run to run: they are told, and nothing becomes stale by them.
    params:
        measured=[
            f"benchmarks/{PRESET}/finetune_family/{arm}/seed{seed}.tsv"
            for arm, seed in RUNS
        ],
    message:
        "Writing the table of the family"
    shell:
        "python scripts/table_family.py --config {input.config} --study {input.study}"
        " --family {input.family} --metrics {input.base} {input.metrics}"
        " --trained {input.trained} --measured {params.measured}"
        " --output {output.csv} --cost {output.cost} > {log} 2>&1"
