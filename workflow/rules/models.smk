"""What is trained on scans: autoencoder, multi-view diffusion base, PoseScore.

In:  <results>/scans/{set}.npz of the training and validation sets and <results>/poseset/images.npz
     (data.smk); autoencoder.yaml, multiview.yaml, posescore.yaml.
Out: <results>/{autoencoder,multiview,posescore}/model.safetensors with metrics.json and log.csv,
     <results>/latents/{scans,validation,poseset}.npz, <results>/posescore/examples.npz.
"""


rule train_autoencoder:
    input:
        code=code_of("train_autoencoder"),
        config=cfg("autoencoder"),
        scans=scans_of(STUDY.training_scans),
        validation=scans_of(STUDY.validation_scans),
    output:
        model="<results>/autoencoder/model.safetensors",
        metrics="<results>/autoencoder/metrics.json",
    log:
        "<logs>/train_autoencoder.log",
    benchmark:
        "<benchmarks>/train_autoencoder.tsv"
    priority: 10
    conda:
        "../../envs/gpu.yaml"
    threads: cores_of("autoencoder")
    resources:
        mem_mb=2500,
        gpu=gpus_of("autoencoder"),
    message:
        "Training the autoencoder"
    shell:
        "python -m poseloop.runtime.launch {resources.gpu} scripts/train_autoencoder.py"
        " --config {input.config} --scans {input.scans}"
        " --validation {input.validation} --output {output.model} --metrics {output.metrics}"
        " > {log} 2>&1"


rule encode_latents:
    input:
        code=code_of("encode_latents"),
        config=cfg("autoencoder"),
        multiview_config=cfg("multiview"),
        autoencoder=rules.train_autoencoder.output.model,
        scans=rules.train_autoencoder.input.scans,
        validation=rules.train_autoencoder.input.validation,
        poseset=rules.render_poseset.output.images,
    output:
        scans="<results>/latents/scans.npz",
        validation="<results>/latents/validation.npz",
        poseset="<results>/latents/poseset.npz",
    log:
        "<logs>/encode_latents.log",
    benchmark:
        "<benchmarks>/encode_latents.tsv"
    priority: 10
    conda:
        "../../envs/gpu.yaml"
    threads: cores_of("autoencoder")
    resources:
        mem_mb=2500,
        gpu=gpus_of("autoencoder"),
    message:
        "Encoding scans and the pose set into latents"
    shell:
        "python -m poseloop.runtime.launch {resources.gpu} scripts/encode_latents.py"
        " --config {input.config}"
        " --multiview-config {input.multiview_config}"
        " --autoencoder {input.autoencoder} --scans {input.scans}"
        " --validation {input.validation} --poseset {input.poseset}"
        " --scans-output {output.scans} --validation-output {output.validation}"
        " --poseset-output {output.poseset} > {log} 2>&1"


rule train_multiview:
    input:
        code=code_of("train_multiview"),
        config=cfg("multiview"),
        latents=rules.encode_latents.output.scans,
        validation=rules.encode_latents.output.validation,
    output:
        model="<results>/multiview/model.safetensors",
        metrics="<results>/multiview/metrics.json",
        log="<results>/multiview/log.csv",
    log:
        "<logs>/train_multiview.log",
    benchmark:
        "<benchmarks>/train_multiview.tsv"
    priority: 10
    conda:
        "../../envs/gpu.yaml"
    threads: cores_of("multiview")
    resources:
        mem_mb=2000,
        gpu=gpus_of("multiview"),
    message:
        "Training the multi-view diffusion base"
    shell:
        "python -m poseloop.runtime.launch {resources.gpu} scripts/train_multiview.py"
        " --config {input.config} --latents {input.latents}"
        " --validation {input.validation} --output {output.model} --metrics {output.metrics}"
        " --log {output.log} > {log} 2>&1"


rule train_posescore:
    input:
        code=code_of("train_posescore"),
        config=cfg("posescore"),
        latents=rules.encode_latents.output.scans,
        validation=rules.encode_latents.output.validation,
        multiview=rules.train_multiview.output.model,
        autoencoder=rules.train_autoencoder.output.model,
    output:
        model="<results>/posescore/model.safetensors",
        metrics="<results>/posescore/metrics.json",
        log="<results>/posescore/log.csv",
        examples="<results>/posescore/examples.npz",
    log:
        "<logs>/train_posescore.log",
    benchmark:
        "<benchmarks>/train_posescore.tsv"
    priority: 10
    conda:
        "../../envs/gpu.yaml"
    threads: cores_of("posescore")
    resources:
        mem_mb=2500,
        gpu=gpus_of("posescore"),
    message:
        "Training PoseScore"
    shell:
        "python -m poseloop.runtime.launch {resources.gpu} scripts/train_posescore.py"
        " --config {input.config} --latents {input.latents}"
        " --validation {input.validation} --multiview {input.multiview}"
        " --autoencoder {input.autoencoder}"
        " --output {output.model} --metrics {output.metrics} --log {output.log}"
        " --examples {output.examples} > {log} 2>&1"
