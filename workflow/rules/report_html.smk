"""The results as one web page, not in `all`; the target is `report`.

In:  tables and figures of DrPose (report.smk), samples (drpose.smk), benchmarks (data.smk), dvc.lock;
     tables and figures of the other loops where they exist; report_html.yaml, study.yaml,
     evaluate.yaml; tables of the run that report_html.yaml names to compare with;
     workflow/report/html/ with template, style, scripts and package-lock.json.
Out: <results>/report/viewer.js, the bundled mesh viewer (needs npm and its registry), and
     <results>/report/index.html, which needs no network.

Where the template lies, and which files of the other loops exist, is in report_html_common.smk.
"""


rule report_viewer:
    input:
        code=code_of("bundle_viewer"),
        package=f"{PAGE}/package.json",
        others=collect(f"{PAGE}/{{file}}", file=["package-lock.json", "viewer.js"]),
    output:
        "<results>/report/viewer.js",
    log:
        "<logs>/report_viewer.log",
    benchmark:
        "<benchmarks>/report_viewer.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    message:
        "Bundling the report's mesh viewer"
    shell:
        "python scripts/bundle_viewer.py --package {input.package} --output {output}"
        " > {log} 2>&1"


rule report:
    input:
        code=code_of("report_html"),
        config=cfg("report_html"),
        study=cfg("study"),
        evaluate=cfg("evaluate"),
        tables=rules.drpose_table.output.csv,
        figures=[
            rules.fig_bodies.output.png,
            rules.fig_motion.output.png,
            rules.fig_pose_diversity.output.png,
            rules.fig_skeletons.output.png,
            rules.fig_training.output.png,
            rules.fig_qualitative.output.png,
            rules.fig_difficulty.output.png,
        ],
        other_tables=[
            *existing("tables/drpose_carving.csv"),
            *existing("tables/drpose_family.csv"),
            *existing("tables/drpose_ablations.csv"),
            *existing("tables/drpose_hacking.csv"),
            *existing("tables/adhmr_*.csv"),
            *existing("tables/posegen_*.csv"),
        ],
        other_figures=[
            *existing("figures/fig_carving.png"),
            *existing("figures/fig_family.png"),
            *existing("figures/fig_ablations.png"),
            *existing("figures/fig_hacking.png"),
            *existing("figures/fig_adhmr_*.png"),
            *existing("figures/fig_posegen_*.png"),
        ],
        benchmarks=rules.generate.input.benchmarks,
        samples=collect(
            f"<results>/samples/{{method}}/seed{STUDY.seeds[0]}/{{benchmark}}.npz",
            method=STUDY.methods,
            benchmark=STUDY.benchmarks,
        ),
        metrics=collect("<results>/metrics/base/seed{seed}.json", seed=STUDY.seeds),
        compared=compared(),
        records=[
            str(path)
            for file in recorded_pipelines()
            for path in (file, lock_of(file))
        ],
        template=f"{PAGE}/index.html.j2",
        parts=collect(f"{PAGE}/{{file}}", file=["report.css", "report.js"]),
        captions=sorted(map(str, Path("workflow/report").glob("*.rst"))),
        viewer=rules.report_viewer.output,
    output:
        "<results>/report/index.html",
    log:
        "<logs>/report.log",
    benchmark:
        "<benchmarks>/report.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2500,
    # Times differ from run to run: they are told, and nothing becomes stale by them.
    params:
        preset=PRESET,
        times=f"benchmarks/{PRESET}",
    message:
        "Writing the results as a web page"
    shell:
        "python scripts/report_html.py --preset {params.preset} --config {input.config}"
        " --study {input.study} --evaluate {input.evaluate}"
        " --tables {input.tables} {input.other_tables}"
        " --figures {input.figures} {input.other_figures}"
        " --benchmarks {input.benchmarks} --samples {input.samples}"
        " --metrics {input.metrics} --template {input.template} --viewer {input.viewer}"
        " --times {params.times} --output {output} > {log} 2>&1"
