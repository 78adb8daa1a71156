"""Explicit carving of ground-truth and generated views, measured beside the visual hull.

In:  body and motion (assets.smk), benchmarks (data.smk), samples (drpose.smk), model and scorer
     (adhmr.smk); carve.yaml, evaluate.yaml, report.yaml.
Out: <results>/carving/starts.npz and <results>/carving/estimates/{benchmark}.npz;
     <results>/carving/{views}/seed{seed}/{benchmark}.npz with {benchmark}/<subject>.glb beside
     it, where {views} is a method or `truth`, as carve.yaml lists them;
     <results>/carving/{views}/seed{seed}/{hull,body,carving,skipped}.json,
     <results>/figures/fig_carving.{png,pdf} and <results>/tables/drpose_carving.{csv,md}. Not in
     `all`: the target is `drpose_carving`.
"""


wildcard_constraints:
    views="|".join(["truth", *STUDY.methods]),


rule make_starts:
    input:
        code=code_of("make_starts"),
        config=cfg("carve"),
        body=rules.bake_body.output.npz,
        clips=rules.prepare_motion.output.clips,
    output:
        "<results>/carving/starts.npz",
    log:
        "<logs>/make_starts.log",
    benchmark:
        "<benchmarks>/make_starts.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    message:
        "Rendering the start poses of the body fit"
    shell:
        "python scripts/make_starts.py --config {input.config} --body {input.body}"
        " --clips {input.clips} --output {output} > {log} 2>&1"


rule estimate_starts:
    input:
        code=code_of("estimate_starts"),
        config=cfg("carve"),
        body=rules.bake_body.output.npz,
        model=estimator_of,
        scorer="<results>/adhmr/scorer/model.safetensors",
        benchmark="<results>/benchmarks/{benchmark}.npz",
    output:
        "<results>/carving/estimates/{benchmark}.npz",
    log:
        "<logs>/estimate_starts/{benchmark}.log",
    benchmark:
        "<benchmarks>/estimate_starts/{benchmark}.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    message:
        "Estimating poses in the input pictures of {wildcards.benchmark}"
    shell:
        "python scripts/estimate_starts.py --config {input.config} --body {input.body}"
        " --model {input.model} --scorer {input.scorer} --benchmark {input.benchmark}"
        " --output {output} > {log} 2>&1"


rule carve:
    input:
        code=code_of("carve"),
        config=cfg("carve"),
        evaluate=cfg("evaluate"),
        body=rules.bake_body.output.npz,
        starts=rules.make_starts.output,
        estimates=estimates_of,
        views=views_of,
    output:
        npz="<results>/carving/{views}/seed{seed}/{benchmark}.npz",
        glb=directory("<results>/carving/{views}/seed{seed}/{benchmark}"),
    log:
        "<logs>/carve/{views}/seed{seed}/{benchmark}.log",
    benchmark:
        "<benchmarks>/carve/{views}/seed{seed}/{benchmark}.tsv"
    conda:
        "../../envs/gpu.yaml"
    threads: cores_of("carve")
    resources:
        mem_mb=2500,
        gpu=gpus_of("carve"),
    message:
        "Carving {wildcards.benchmark}: {wildcards.views}, seed {wildcards.seed}"
    shell:
        "python -m poseloop.runtime.launch {resources.gpu} scripts/carve.py"
        " --config {input.config} --evaluate {input.evaluate}"
        " --body {input.body} --starts {input.starts} --estimates {input.estimates}"
        " --views {input.views} --output {output.npz} --glb {output.glb} > {log} 2>&1"


rule evaluate_carving:
    input:
        code=code_of("evaluate_carving"),
        config=cfg("evaluate"),
        benchmarks=rules.generate.input.benchmarks,
        views=all_views_of,
        carved=collect(
            "<results>/carving/{{views}}/seed{{seed}}/{benchmark}.npz",
            benchmark=STUDY.benchmarks,
        ),
    output:
        metrics=collect(
            "<results>/carving/{{views}}/seed{{seed}}/{kind}.json",
            kind=["hull", "body", "carving"],
        ),
        skipped="<results>/carving/{views}/seed{seed}/skipped.json",
    log:
        "<logs>/evaluate_carving/{views}/seed{seed}.log",
    benchmark:
        "<benchmarks>/evaluate_carving/{views}/seed{seed}.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: cores_of("evaluate")
    resources:
        mem_mb=2500,
    message:
        "Measuring carved meshes: {wildcards.views}, seed {wildcards.seed}"
    shell:
        "python scripts/evaluate_carving.py --config {input.config}"
        " --benchmarks {input.benchmarks} --views {input.views} --carved {input.carved}"
        " --outputs {output.metrics} --skipped {output.skipped} > {log} 2>&1"


rule fig_carving:
    input:
        code=code_of("fig_carving"),
        config=cfg("report"),
        evaluate=cfg("evaluate"),
        study=cfg("study"),
        body=rules.bake_body.output.npz,
        benchmark=f"<results>/benchmarks/{REPORT.qualitative.benchmark}.npz",
        carved=[
            f"<results>/carving/{run}/{REPORT.qualitative.benchmark}.npz"
            for run in DRAWN
        ],
        views=[picture_file(run, REPORT.qualitative.benchmark) for run in DRAWN],
        metrics=f"<results>/carving/{DRAWN[0]}/hull.json",
        skipped=f"<results>/carving/{DRAWN[0]}/skipped.json",
    output:
        png=report(
            "<results>/figures/fig_carving.png",
            category="Figures",
            labels={"figure": "carved meshes"},
            caption="../report/fig_carving.rst",
        ),
        pdf="<results>/figures/fig_carving.pdf",
    log:
        "<logs>/fig_carving.log",
    benchmark:
        "<benchmarks>/fig_carving.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    message:
        "Drawing carved meshes of the hardest subjects"
    shell:
        "python scripts/fig_carving.py --config {input.config} --evaluate {input.evaluate}"
        " --study {input.study} --body {input.body} --benchmark {input.benchmark}"
        " --carved {input.carved} --views {input.views} --metrics {input.metrics}"
        " --output {output} > {log} 2>&1"


rule drpose_carving:
    input:
        code=code_of("table_carving"),
        config=cfg("report"),
        study=cfg("study"),
        metrics=collect(
            "<results>/carving/{run}/{kind}.json",
            run=CARVED,
            kind=["hull", "body", "carving", "skipped"],
        ),
        figure=rules.fig_carving.output,
    output:
        csv="<results>/tables/drpose_carving.csv",
        md="<results>/tables/drpose_carving.md",
    log:
        "<logs>/drpose_carving.log",
    benchmark:
        "<benchmarks>/drpose_carving.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    message:
        "Writing the table of carving against the visual hull"
    shell:
        "python scripts/table_carving.py --config {input.config} --study {input.study}"
        " --metrics {input.metrics} --output {output.csv} > {log} 2>&1"
