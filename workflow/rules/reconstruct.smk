"""Explicit carving of ground-truth and generated views, measured beside the visual hull.

In:  body and motion (assets.smk), benchmarks (data.smk), samples (drpose.smk); carve.yaml,
     evaluate.yaml, report.yaml.
Out: <results>/carving/starts.npz; <results>/carving/{views}/seed{seed}/{benchmark}.npz with
     {benchmark}/<subject>.glb beside it, where {views} is a method or `truth` (seed 0);
     <results>/carving/{views}/seed{seed}/{hull,body,carving,skipped}.json and
     <results>/tables/drpose_carving.{csv,md}. Not in `all`: the target is `drpose_carving`.
"""

CARVED = [
    "truth/seed0",
    *(f"{method}/seed{seed}" for method in STUDY.methods for seed in STUDY.seeds),
]


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


rule carve:
    input:
        code=code_of("carve"),
        config=cfg("carve"),
        body=rules.bake_body.output.npz,
        starts=rules.make_starts.output,
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
        "python scripts/carve.py --config {input.config} --body {input.body}"
        " --starts {input.starts} --views {input.views} --output {output.npz}"
        " --glb {output.glb} > {log} 2>&1"


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
