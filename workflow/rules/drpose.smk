"""Fine-tuning by the pose reward, one run per variant and seed, and its samples.

In:  base model, PoseScore and latents (models.smk), benchmarks (data.smk); drpose.yaml with one
     entry per variant, generate.yaml.
Out: <results>/drpose/{variant}/seed{seed}/{model.safetensors,metrics.json,log.csv} and
     <results>/samples/{method}/seed{seed}/{benchmark}.npz for `base` and every variant.
"""


rule finetune_drpose:
    input:
        code=code_of("finetune_drpose"),
        config=cfg("drpose"),
        multiview=rules.train_multiview.output.model,
        posescore=rules.train_posescore.output.model,
        poses=rules.render_poseset.output.images,
        poseset=rules.encode_latents.output.poseset,
        latents=rules.encode_latents.output.scans,
        validation=rules.encode_latents.output.validation,
    output:
        model="<results>/drpose/{variant}/seed{seed}/model.safetensors",
        metrics="<results>/drpose/{variant}/seed{seed}/metrics.json",
        log="<results>/drpose/{variant}/seed{seed}/log.csv",
    log:
        "<logs>/finetune_drpose/{variant}/seed{seed}.log",
    benchmark:
        "<benchmarks>/finetune_drpose/{variant}/seed{seed}.tsv"
    priority: 10
    conda:
        "../../envs/gpu.yaml"
    threads: cores_of("drpose")
    resources:
        mem_mb=2500,
        gpu=gpus_of("drpose"),
    message:
        "Fine-tuning by the pose reward: {wildcards.variant}, seed {wildcards.seed}"
    shell:
        "python -m poseloop.runtime.launch {resources.gpu} scripts/finetune_drpose.py"
        " --config {input.config}"
        " --variant {wildcards.variant} --seed {wildcards.seed}"
        " --multiview {input.multiview} --posescore {input.posescore}"
        " --poses {input.poses} --poseset {input.poseset} --latents {input.latents}"
        " --validation {input.validation} --output {output.model}"
        " --metrics {output.metrics} --log {output.log} > {log} 2>&1"


rule generate:
    input:
        code=code_of("generate"),
        config=cfg("generate"),
        model=model_of,
        autoencoder=rules.train_autoencoder.output.model,
        posescore=rules.train_posescore.output.model,
        benchmarks=collect(
            "<results>/benchmarks/{benchmark}.npz", benchmark=STUDY.benchmarks
        ),
    output:
        collect(
            "<results>/samples/{{method}}/seed{{seed}}/{benchmark}.npz",
            benchmark=STUDY.benchmarks,
        ),
    log:
        "<logs>/generate/{method}/seed{seed}.log",
    benchmark:
        "<benchmarks>/generate/{method}/seed{seed}.tsv"
    conda:
        "../../envs/gpu.yaml"
    threads: cores_of("generate")
    resources:
        mem_mb=2500,
        gpu=gpus_of("generate"),
    message:
        "Sampling the benchmarks: {wildcards.method}, seed {wildcards.seed}"
    shell:
        "python -m poseloop.runtime.launch {resources.gpu} scripts/generate.py"
        " --config {input.config} --seed {wildcards.seed}"
        " --model {input.model} --autoencoder {input.autoencoder}"
        " --posescore {input.posescore} --benchmarks {input.benchmarks}"
        " --outputs {output} > {log} 2>&1"
