"""Pictures of the pose set by an image-animation model; not in `all`, the target is
`drpose_animate`.

In:  body and motion (assets.smk), the judge's scans and the selected poses (data.smk), autoencoder
     (models.smk); animate_clips.yaml, animate.yaml, judge.yaml, poseset.yaml, report.yaml.
Out: <results>/animate/clips/{train,held_out,poseset}.npz with their manifests,
     <results>/animate/{model.safetensors,metrics.json,log.csv},
     <results>/animate/checker/{model.safetensors,metrics.json},
     <results>/animate/frames/{held_out,poseset}.npz,
     <results>/animate/{images.npz,filter.json,frames.csv,sequences.json},
     <results>/tables/drpose_animate.{csv,md} and <results>/figures/fig_animate.{png,pdf}.
"""


localrules:
    drpose_animate,


rule render_clips:
    input:
        code=code_of("render_clips"),
        config=cfg("animate_clips"),
        poseset=cfg("poseset"),
        body=rules.bake_body.output.npz,
        clips=rules.prepare_motion.output.clips,
        poses=rules.select_poses.output,
    output:
        clips="<results>/animate/clips/{clips}.npz",
        manifest="<results>/animate/clips/{clips}.json",
    log:
        "<logs>/render_clips/{clips}.log",
    benchmark:
        "<benchmarks>/render_clips/{clips}.tsv"
    wildcard_constraints:
        clips="train|held_out|poseset",
    conda:
        "../../envs/cpu.yaml"
    threads: cores_of("animate_clips")
    resources:
        mem_mb=2500,
    message:
        "Rendering sequences: {wildcards.clips}"
    shell:
        "python scripts/render_clips.py --config {input.config} --set {wildcards.clips}"
        " --poseset-config {input.poseset} --body {input.body} --clips {input.clips}"
        " --poses {input.poses} --output {output.clips} > {log} 2>&1"


rule train_animator:
    input:
        code=code_of("train_animator"),
        config=cfg("animate"),
        autoencoder=rules.train_autoencoder.output.model,
        clips="<results>/animate/clips/train.npz",
        held_out="<results>/animate/clips/held_out.npz",
    output:
        model="<results>/animate/model.safetensors",
        metrics="<results>/animate/metrics.json",
        log="<results>/animate/log.csv",
    log:
        "<logs>/train_animator.log",
    benchmark:
        "<benchmarks>/train_animator.tsv"
    conda:
        "../../envs/gpu.yaml"
    threads: cores_of("animate")
    resources:
        mem_mb=3000,
        gpu=gpus_of("animate"),
    message:
        "Training the image-animation model"
    shell:
        "python -m poseloop.runtime.launch {resources.gpu} scripts/train_animator.py"
        " --config {input.config}"
        " --autoencoder {input.autoencoder} --clips {input.clips} --held-out {input.held_out}"
        " --output {output.model} --metrics {output.metrics} --log {output.log} > {log} 2>&1"


rule train_checker:
    input:
        code=code_of("train_checker"),
        config=cfg("judge"),
        scans=f"<results>/scans/{STUDY.judge_scans}.npz",
        held_out="<results>/animate/clips/held_out.npz",
    output:
        model="<results>/animate/checker/model.safetensors",
        metrics="<results>/animate/checker/metrics.json",
    log:
        "<logs>/train_checker.log",
    benchmark:
        "<benchmarks>/train_checker.tsv"
    conda:
        "../../envs/gpu.yaml"
    threads: cores_of("judge")
    resources:
        mem_mb=2500,
        gpu=gpus_of("judge"),
    message:
        "Training the keypoint check of drawn frames"
    shell:
        "python -m poseloop.runtime.launch {resources.gpu} scripts/train_checker.py"
        " --config {input.config} --scans {input.scans}"
        " --held-out {input.held_out} --output {output.model} --metrics {output.metrics}"
        " > {log} 2>&1"


rule animate:
    input:
        code=code_of("animate"),
        config=cfg("animate"),
        model=rules.train_animator.output.model,
        autoencoder=rules.train_autoencoder.output.model,
        clips="<results>/animate/clips/{clips}.npz",
    output:
        "<results>/animate/frames/{clips}.npz",
    log:
        "<logs>/animate/{clips}.log",
    benchmark:
        "<benchmarks>/animate/{clips}.tsv"
    wildcard_constraints:
        clips="held_out|poseset",
    conda:
        "../../envs/gpu.yaml"
    threads: cores_of("animate")
    resources:
        mem_mb=2500,
        gpu=gpus_of("animate"),
    message:
        "Drawing frames: {wildcards.clips}"
    shell:
        "python -m poseloop.runtime.launch {resources.gpu} scripts/animate.py"
        " --config {input.config} --model {input.model}"
        " --autoencoder {input.autoencoder} --clips {input.clips} --output {output}"
        " > {log} 2>&1"


rule check_frames:
    input:
        code=code_of("check_frames"),
        config=cfg("animate"),
        checker=rules.train_checker.output.model,
        autoencoder=rules.train_autoencoder.output.model,
        poses=rules.select_poses.output,
        held_out="<results>/animate/clips/held_out.npz",
        held_out_frames="<results>/animate/frames/held_out.npz",
        clips="<results>/animate/clips/poseset.npz",
        frames="<results>/animate/frames/poseset.npz",
    output:
        images="<results>/animate/images.npz",
        report="<results>/animate/filter.json",
        errors="<results>/animate/frames.csv",
        metrics="<results>/animate/sequences.json",
    log:
        "<logs>/check_frames.log",
    benchmark:
        "<benchmarks>/check_frames.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: cores_of("animate")
    resources:
        mem_mb=2500,
    message:
        "Checking the joints of drawn frames"
    shell:
        "python scripts/check_frames.py --config {input.config} --checker {input.checker}"
        " --autoencoder {input.autoencoder} --poses {input.poses} --held-out {input.held_out}"
        " --held-out-frames {input.held_out_frames} --clips {input.clips} --frames {input.frames}"
        " --output {output.images} --report {output.report} --errors {output.errors}"
        " --metrics {output.metrics} > {log} 2>&1"


rule table_animate:
    input:
        code=code_of("table_animate"),
        config=cfg("report"),
        metrics=rules.check_frames.output.metrics,
    output:
        csv="<results>/tables/drpose_animate.csv",
        md="<results>/tables/drpose_animate.md",
    log:
        "<logs>/table_animate.log",
    benchmark:
        "<benchmarks>/table_animate.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    message:
        "Writing the table of the image-animation model"
    shell:
        "python scripts/table_animate.py --config {input.config} --metrics {input.metrics}"
        " --output {output.csv} > {log} 2>&1"


rule fig_animate:
    input:
        code=code_of("fig_animate"),
        config=cfg("animate"),
        held_out="<results>/animate/clips/held_out.npz",
        held_out_frames="<results>/animate/frames/held_out.npz",
        clips="<results>/animate/clips/poseset.npz",
        frames="<results>/animate/frames/poseset.npz",
        errors=rules.check_frames.output.errors,
    output:
        png="<results>/figures/fig_animate.png",
        pdf="<results>/figures/fig_animate.pdf",
    log:
        "<logs>/fig_animate.log",
    benchmark:
        "<benchmarks>/fig_animate.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    message:
        "Drawing sequences of the image-animation model"
    shell:
        "python scripts/fig_animate.py --config {input.config} --held-out {input.held_out}"
        " --held-out-frames {input.held_out_frames} --clips {input.clips} --frames {input.frames}"
        " --errors {input.errors} --output {output} > {log} 2>&1"


rule drpose_animate:
    input:
        rules.table_animate.output,
        rules.fig_animate.output,
