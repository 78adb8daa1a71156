"""Tables and figures, and the targets that gather them.

In:  metrics (benchmark.smk), samples and training logs (drpose.smk), data sets (data.smk).
Out: <results>/tables/drpose_{geometry,appearance,pose}.{csv,md,tex} and
     <results>/figures/fig_*.{png,pdf}; each figure is a target by its name, the tables are
     `drpose_table`, tables and figures together are `drpose`.
"""


rule drpose_table:
    input:
        code=code_of("tables"),
        config=cfg("study"),
        report_config=cfg("report"),
        metrics=collect(
            "<results>/metrics/{method}/seed{seed}.json",
            method=STUDY.methods,
            seed=STUDY.seeds,
        ),
        truth=rules.evaluate_truth.output,
    output:
        csv=report(
            collect("<results>/tables/drpose_{table}.csv", table=TABLES),
            category="Tables",
            labels={"table": "{table}"},
            caption="../report/table.rst",
        ),
        md=collect("<results>/tables/drpose_{table}.md", table=TABLES),
        tex=collect("<results>/tables/drpose_{table}.tex", table=TABLES),
    log:
        "<logs>/drpose_table.log",
    benchmark:
        "<benchmarks>/drpose_table.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    message:
        "Writing the tables"
    shell:
        "python scripts/tables.py --config {input.config} --metrics {input.metrics}"
        " --truth {input.truth} --output {output.csv} > {log} 2>&1"


rule fig_bodies:
    input:
        code=code_of("fig_bodies"),
        body=rules.bake_body.output,
    output:
        png=report(
            "<results>/figures/fig_bodies.png",
            category="Figures",
            labels={"figure": "bodies"},
            caption="../report/fig_bodies.rst",
        ),
        pdf="<results>/figures/fig_bodies.pdf",
    log:
        "<logs>/fig_bodies.log",
    benchmark:
        "<benchmarks>/fig_bodies.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    message:
        "Drawing fig_bodies"
    shell:
        "python scripts/fig_bodies.py --body {input.body} --output {output} > {log} 2>&1"


rule fig_motion:
    input:
        code=code_of("fig_motion"),
        body=rules.bake_body.output,
        clips=rules.prepare_motion.output.clips,
    output:
        png="<results>/figures/fig_motion.png",
        pdf="<results>/figures/fig_motion.pdf",
    log:
        "<logs>/fig_motion.log",
    benchmark:
        "<benchmarks>/fig_motion.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    message:
        "Drawing fig_motion"
    shell:
        "python scripts/fig_motion.py --body {input.body} --output {output} > {log} 2>&1"


rule drpose:
    input:
        rules.drpose_table.output,
