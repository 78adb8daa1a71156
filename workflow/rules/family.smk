"""The family of fine-tuning methods and the ablations, on equal budgets; neither is in `all`.

In:  base model, PoseScore and latents (models.smk), pose set and benchmarks (data.smk), judge
     (benchmark.smk); family.yaml and ablations.yaml with one entry per arm, poseset_random.yaml,
     generate.yaml, evaluate.yaml.
Out: <results>/family/oracle.npz, <results>/poseset_random/{poses,images}.npz,
     <results>/latents/poseset_random.npz, <results>/jointscore/{model.safetensors,log.csv},
     <results>/{grid}/{arm}/seed{seed}/{model.safetensors,snapshots.safetensors,metrics.json,
     log.csv}, <results>/{grid}/samples/{arm}/seed{seed}/{benchmark}.npz,
     <results>/{grid}/metrics/{arm}/seed{seed}.json, <results>/tables/drpose_{grid}.{csv,md} and
     drpose_{grid}_cost.csv, <results>/figures/fig_{grid}.{png,pdf} and
     fig_{grid}_cost.{png,pdf}. {grid} is family or ablations, the targets drpose_family and
     drpose_ablations.
"""


wildcard_constraints:
    grid="|".join(GRIDS),
    arm="|".join(sorted({arm for grid in GRIDS.values() for arm in grid.arms})),


use rule select_poses as select_random_poses with:
    input:
        code=code_of("select_poses"),
        config=cfg("poseset_random"),
        body=rules.bake_body.output.npz,
        clips=rules.prepare_motion.output.clips,
    output:
        "<results>/poseset_random/poses.npz",
    log:
        "<logs>/select_random_poses.log",
    benchmark:
        "<benchmarks>/select_random_poses.tsv"
    message:
        "Selecting poses by chance"


use rule render_poseset as render_random_poses with:
    input:
        code=code_of("render_poseset"),
        config=cfg("poseset_random"),
        assets=assets_of("poseset_random"),
        body=rules.bake_body.output.npz,
        poses=rules.select_random_poses.output,
    output:
        images="<results>/poseset_random/images.npz",
        manifest="<results>/poseset_random/images.json",
    log:
        "<logs>/render_random_poses.log",
    benchmark:
        "<benchmarks>/render_random_poses.tsv"
    message:
        "Making one image per pose selected by chance"


rule encode_random_poses:
    input:
        code=code_of("encode_poses"),
        config=cfg("autoencoder"),
        autoencoder=rules.train_autoencoder.output.model,
        poses=rules.render_random_poses.output.images,
    output:
        "<results>/latents/poseset_random.npz",
    log:
        "<logs>/encode_random_poses.log",
    benchmark:
        "<benchmarks>/encode_random_poses.tsv"
    conda:
        "../../envs/gpu.yaml"
    threads: cores_of("autoencoder")
    resources:
        mem_mb=2500,
        gpu=gpus_of("autoencoder"),
    message:
        "Encoding poses selected by chance into latents"
    shell:
        "python -m poseloop.runtime.launch {resources.gpu} scripts/encode_poses.py"
        " --config {input.config}"
        " --autoencoder {input.autoencoder} --poses {input.poses} --output {output}"
        " > {log} 2>&1"


rule train_jointscore:
    input:
        code=code_of("train_jointscore"),
        config=cfg("posescore"),
        latents=rules.encode_latents.output.scans,
        validation=rules.encode_latents.output.validation,
        multiview=rules.train_multiview.output.model,
    output:
        model="<results>/jointscore/model.safetensors",
        log="<results>/jointscore/log.csv",
    log:
        "<logs>/train_jointscore.log",
    benchmark:
        "<benchmarks>/train_jointscore.tsv"
    conda:
        "../../envs/gpu.yaml"
    threads: cores_of("posescore")
    resources:
        mem_mb=2500,
        gpu=gpus_of("posescore"),
    message:
        "Training the reward on joints"
    shell:
        "python -m poseloop.runtime.launch {resources.gpu} scripts/train_jointscore.py"
        " --config {input.config} --latents {input.latents}"
        " --validation {input.validation} --multiview {input.multiview}"
        " --output {output.model} --log {output.log} > {log} 2>&1"


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
        config=lambda wildcards: cfg(wildcards.grid),
        multiview=rules.train_multiview.output.model,
        posescore=rules.train_posescore.output.model,
        poses=pictures_of,
        poseset=pose_latents_of,
        latents=rules.encode_latents.output.scans,
        validation=rules.encode_latents.output.validation,
        oracle=oracle_of,
        jointscore=jointscore_of,
    output:
        model="<results>/{grid}/{arm}/seed{seed}/model.safetensors",
        snapshots="<results>/{grid}/{arm}/seed{seed}/snapshots.safetensors",
        metrics="<results>/{grid}/{arm}/seed{seed}/metrics.json",
        log="<results>/{grid}/{arm}/seed{seed}/log.csv",
    log:
        "<logs>/finetune_{grid}/{arm}/seed{seed}.log",
    benchmark:
        "<benchmarks>/finetune_{grid}/{arm}/seed{seed}.tsv"
    conda:
        "../../envs/gpu.yaml"
    threads: cores_of("family")
    resources:
        mem_mb=3000,
        gpu=gpus_of("family"),
    params:
        oracle=lambda wildcards, input: optional("--oracle", input.oracle),
        jointscore=lambda wildcards, input: optional("--jointscore", input.jointscore),
    message:
        "Fine-tuning: {wildcards.grid}, {wildcards.arm}, seed {wildcards.seed}"
    shell:
        "python -m poseloop.runtime.launch {resources.gpu} scripts/finetune_family.py"
        " --config {input.config}"
        " --arm {wildcards.arm} --seed {wildcards.seed}"
        " --multiview {input.multiview} --posescore {input.posescore}"
        " --poses {input.poses} --poseset {input.poseset} --latents {input.latents}"
        " --validation {input.validation} {params.oracle} {params.jointscore}"
        " --output {output.model} --snapshots {output.snapshots} --metrics {output.metrics}"
        " --log {output.log} > {log} 2>&1"


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
            "<results>/{{grid}}/samples/{{arm}}/seed{{seed}}/{benchmark}.npz",
            benchmark=STUDY.benchmarks,
        ),
    log:
        "<logs>/generate_{grid}/{arm}/seed{seed}.log",
    benchmark:
        "<benchmarks>/generate_{grid}/{arm}/seed{seed}.tsv"
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
        "<results>/{grid}/metrics/{arm}/seed{seed}.json",
    log:
        "<logs>/evaluate_{grid}/{arm}/seed{seed}.log",
    benchmark:
        "<benchmarks>/evaluate_{grid}/{arm}/seed{seed}.tsv"
    message:
        "Measuring {wildcards.arm}, seed {wildcards.seed}"


rule table_family:
    input:
        code=code_of("table_family"),
        config=cfg("report"),
        study=cfg("study"),
        family=lambda wildcards: cfg(wildcards.grid),
        base=base_metrics_of,
        metrics=lambda wildcards: runs_of(
            wildcards.grid, "<results>/{grid}/metrics/{arm}/seed{seed}.json"
        ),
    output:
        csv="<results>/tables/drpose_{grid}.csv",
        md="<results>/tables/drpose_{grid}.md",
    log:
        "<logs>/drpose_{grid}.log",
    benchmark:
        "<benchmarks>/drpose_{grid}.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    message:
        "Writing the table of the {wildcards.grid}"
    shell:
        "python scripts/table_family.py --config {input.config} --study {input.study}"
        " --family {input.family} --metrics {input.base} {input.metrics}"
        " --output {output.csv} > {log} 2>&1"


rule fig_family:
    input:
        code=code_of("fig_family"),
        table=rules.table_family.output.csv,
    output:
        png=report(
            "<results>/figures/fig_{grid}.png",
            category="Figures",
            labels={"figure": "{grid}"},
            caption="../report/fig_family.rst",
        ),
        pdf="<results>/figures/fig_{grid}.pdf",
    log:
        "<logs>/fig_{grid}.log",
    benchmark:
        "<benchmarks>/fig_{grid}.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        metrics=["chamfer", "judge_mpjpe"],
    message:
        "Drawing the gains of the {wildcards.grid}"
    shell:
        "python scripts/fig_family.py --table {input.table} --metrics {params.metrics}"
        " --output {output} > {log} 2>&1"


# Times differ from run to run: they are told, no stage of DVC holds them, and nothing becomes
# stale by them.
rule cost_family:
    input:
        code=code_of("cost_family"),
        family=lambda wildcards: cfg(wildcards.grid),
        trained=lambda wildcards: runs_of(
            wildcards.grid, "<results>/{grid}/{arm}/seed{seed}/metrics.json"
        ),
        logs=lambda wildcards: runs_of(
            wildcards.grid, "<results>/{grid}/{arm}/seed{seed}/log.csv"
        ),
    output:
        csv="<results>/tables/drpose_{grid}_cost.csv",
        png=report(
            "<results>/figures/fig_{grid}_cost.png",
            category="Figures",
            labels={"figure": "{grid}, cost"},
            caption="../report/fig_family_cost.rst",
        ),
        pdf="<results>/figures/fig_{grid}_cost.pdf",
    log:
        "<logs>/cost_{grid}.log",
    benchmark:
        "<benchmarks>/cost_{grid}.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        measured=lambda wildcards: runs_of(
            wildcards.grid,
            f"benchmarks/{PRESET}/finetune_{{grid}}/{{arm}}/seed{{seed}}.tsv",
        ),
        reward="validation_reward_val_dynamic",
    message:
        "Writing the costs of the {wildcards.grid}"
    shell:
        "python scripts/cost_family.py --family {input.family} --trained {input.trained}"
        " --measured {params.measured} --logs {input.logs} --reward {params.reward}"
        " --output {output.csv} --figure {output.png} {output.pdf} > {log} 2>&1"


rule drpose_family:
    input:
        expand(rules.table_family.output, grid="family"),
        expand(rules.fig_family.output, grid="family"),
        expand(rules.cost_family.output, grid="family"),


rule drpose_ablations:
    input:
        expand(rules.table_family.output, grid="ablations"),
        expand(rules.fig_family.output, grid="ablations"),
        expand(rules.cost_family.output, grid="ablations"),
