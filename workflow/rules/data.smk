"""Rendered people: multi-view scans, the DrPose15K-style pose set, benchmarks.

In:  the body and the motion clips (assets.smk), scans.yaml, poseset.yaml, benchmarks.yaml.
Out: <results>/scans/{set}.npz, <results>/poseset/{poses,images}.npz, its diversity.json,
     <results>/benchmarks/{benchmark}.npz. Set and benchmark names come from study.yaml; a set
     that scans.yaml splits is made as {set}.0000.npz and so on, by jobs of their own.
"""


rule render_scans:
    input:
        code=code_of("render_views"),
        config=cfg("scans"),
        assets=assets_of("scans"),
        body=rules.bake_body.output.npz,
        clips=rules.prepare_motion.output.clips,
    output:
        scans="<results>/scans/{set}.npz",
        manifest="<results>/scans/{set}.json",
    log:
        "<logs>/render_scans/{set}.log",
    benchmark:
        "<benchmarks>/render_scans/{set}.tsv"
    priority: 20
    conda:
        "../../envs/cpu.yaml"
    threads: cores_of("scans")
    resources:
        mem_mb=2500,
    message:
        "Rendering the scans of {wildcards.set}"
    shell:
        "python scripts/render_views.py --config {input.config} --set {wildcards.set}"
        " --body {input.body} --clips {input.clips} --output {output.scans}"
        " > {log} 2>&1"


rule select_poses:
    input:
        code=code_of("select_poses"),
        config=cfg("poseset"),
        body=rules.bake_body.output.npz,
        clips=rules.prepare_motion.output.clips,
    output:
        "<results>/poseset/poses.npz",
    log:
        "<logs>/select_poses.log",
    benchmark:
        "<benchmarks>/select_poses.tsv"
    priority: 20
    conda:
        "../../envs/cpu.yaml"
    threads: cores_of("poseset")
    resources:
        mem_mb=1500,
    message:
        "Selecting diverse poses by farthest-point sampling"
    shell:
        "python scripts/select_poses.py --config {input.config} --body {input.body}"
        " --clips {input.clips} --output {output} > {log} 2>&1"


rule render_poseset:
    input:
        code=code_of("render_poseset"),
        config=cfg("poseset"),
        assets=assets_of("poseset"),
        body=rules.bake_body.output.npz,
        poses=rules.select_poses.output,
    output:
        images="<results>/poseset/images.npz",
        manifest="<results>/poseset/images.json",
    log:
        "<logs>/render_poseset.log",
    benchmark:
        "<benchmarks>/render_poseset.tsv"
    priority: 20
    conda:
        "../../envs/cpu.yaml"
    threads: cores_of("poseset")
    resources:
        mem_mb=2500,
    message:
        "Making one image per selected pose"
    shell:
        "python scripts/render_poseset.py --config {input.config} --body {input.body}"
        " --poses {input.poses} --output {output.images} > {log} 2>&1"


rule measure_diversity:
    input:
        code=code_of("measure_diversity"),
        body=rules.bake_body.output.npz,
        poses=rules.select_poses.output,
        scans=scans_of(STUDY.training_scans),
    output:
        "<results>/poseset/diversity.json",
    log:
        "<logs>/measure_diversity.log",
    benchmark:
        "<benchmarks>/measure_diversity.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    message:
        "Measuring the spread of joint positions of pose set and scans"
    shell:
        "python scripts/measure_diversity.py --body {input.body} --poses {input.poses}"
        " --scans {input.scans} --output {output} > {log} 2>&1"


rule render_benchmark:
    input:
        code=code_of("render_views"),
        config=cfg("benchmarks"),
        assets=assets_of("benchmarks"),
        body=rules.bake_body.output.npz,
        clips=rules.prepare_motion.output.clips,
    output:
        benchmark="<results>/benchmarks/{benchmark}.npz",
        manifest="<results>/benchmarks/{benchmark}.json",
    log:
        "<logs>/render_benchmark/{benchmark}.log",
    benchmark:
        "<benchmarks>/render_benchmark/{benchmark}.tsv"
    priority: 20
    conda:
        "../../envs/cpu.yaml"
    threads: cores_of("benchmarks")
    resources:
        mem_mb=2000,
    message:
        "Rendering the benchmark {wildcards.benchmark}"
    shell:
        "python scripts/render_views.py --config {input.config}"
        " --set {wildcards.benchmark} --body {input.body} --clips {input.clips}"
        " --output {output.benchmark} > {log} 2>&1"
