"""Tables and figures, and the target that gathers them.

In:  metrics (benchmark.smk), samples and training logs (drpose.smk), data sets (data.smk);
     report.yaml and study.yaml.
Out: <results>/tables/drpose_{table}.{csv,md,tex} for the tables that report.yaml names,
     <results>/metrics/drpose_summary.json with their means, and
     <results>/figures/fig_*.{png,pdf}. Each figure is a target by its name, the tables are
     `drpose_table`, tables and figures of the loop are `drpose`.
"""


rule drpose_table:
    input:
        code=code_of("tables"),
        config=cfg("report"),
        study=cfg("study"),
        metrics=collect(
            "<results>/metrics/{method}/seed{seed}.json",
            method=STUDY.methods,
            seed=STUDY.seeds,
        ),
        diversity=collect(
            "<results>/metrics/{method}/diversity.json", method=STUDY.methods
        ),
        truth=rules.evaluate_truth.output,
    output:
        csv=report(
            collect("<results>/tables/drpose_{table}.csv", table=REPORT.tables),
            category="Tables",
            caption="../report/table.rst",
        ),
        md=collect("<results>/tables/drpose_{table}.md", table=REPORT.tables),
        tex=collect("<results>/tables/drpose_{table}.tex", table=REPORT.tables),
        summary="<results>/metrics/drpose_summary.json",
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
        "python scripts/tables.py --config {input.config} --study {input.study}"
        " --metrics {input.metrics} --diversity {input.diversity}"
        " --truth {input.truth} --output {output.csv} --summary {output.summary}"
        " > {log} 2>&1"


rule fig_bodies:
    input:
        code=code_of("fig_bodies"),
        body=rules.bake_body.output.npz,
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
        mem_mb=1500,
    message:
        "Drawing the body's shapes and poses"
    shell:
        "python scripts/fig_bodies.py"
        " --body {input.body}"
        " --output {output} > {log} 2>&1"


rule fig_motion:
    input:
        code=code_of("fig_motion"),
        body=rules.bake_body.output.npz,
        clips=rules.prepare_motion.output.clips,
    output:
        png=report(
            "<results>/figures/fig_motion.png",
            category="Figures",
            labels={"figure": "motion"},
            caption="../report/fig_motion.rst",
        ),
        pdf="<results>/figures/fig_motion.pdf",
    log:
        "<logs>/fig_motion.log",
    benchmark:
        "<benchmarks>/fig_motion.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    message:
        "Drawing contact sheets of the clips"
    shell:
        "python scripts/fig_motion.py"
        " --body {input.body} --clips {input.clips}"
        " --output {output} > {log} 2>&1"


rule fig_pose_diversity:
    input:
        code=code_of("fig_pose_diversity"),
        diversity=rules.measure_diversity.output,
    output:
        png=report(
            "<results>/figures/fig_pose_diversity.png",
            category="Figures",
            labels={"figure": "pose diversity"},
            caption="../report/fig_pose_diversity.rst",
        ),
        pdf="<results>/figures/fig_pose_diversity.pdf",
    log:
        "<logs>/fig_pose_diversity.log",
    benchmark:
        "<benchmarks>/fig_pose_diversity.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    message:
        "Drawing the spread of joint positions"
    shell:
        "python scripts/fig_pose_diversity.py"
        " --diversity {input.diversity}"
        " --output {output} > {log} 2>&1"


rule fig_skeletons:
    input:
        code=code_of("fig_skeletons"),
        examples=rules.train_posescore.output.examples,
    output:
        png=report(
            "<results>/figures/fig_skeletons.png",
            category="Figures",
            labels={"figure": "skeletons"},
            caption="../report/fig_skeletons.rst",
        ),
        pdf="<results>/figures/fig_skeletons.pdf",
    log:
        "<logs>/fig_skeletons.log",
    benchmark:
        "<benchmarks>/fig_skeletons.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    message:
        "Drawing PoseScore's skeleton maps"
    shell:
        "python scripts/fig_skeletons.py"
        " --examples {input.examples}"
        " --output {output} > {log} 2>&1"


rule fig_training:
    input:
        code=code_of("fig_training"),
        config=cfg("report"),
        study=cfg("study"),
        logs=[
            f"<results>/drpose/{variant}/seed{seed}/log.csv"
            for variant, seed in STUDY.trainings
        ],
    output:
        png=report(
            "<results>/figures/fig_training.png",
            category="Figures",
            labels={"figure": "training"},
            caption="../report/fig_training.rst",
        ),
        pdf="<results>/figures/fig_training.pdf",
    log:
        "<logs>/fig_training.log",
    benchmark:
        "<benchmarks>/fig_training.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    message:
        "Drawing reward and KL over fine-tuning"
    shell:
        "python scripts/fig_training.py"
        " --config {input.config} --study {input.study} --logs {input.logs}"
        " --output {output} > {log} 2>&1"


rule fig_qualitative:
    input:
        code=code_of("fig_qualitative"),
        config=cfg("report"),
        study=cfg("study"),
        benchmark=f"<results>/benchmarks/{REPORT.qualitative.benchmark}.npz",
        samples=collect(
            f"<results>/samples/{{method}}/seed{STUDY.seeds[0]}/{REPORT.qualitative.benchmark}.npz",
            method=STUDY.methods,
        ),
        metrics=collect("<results>/metrics/base/seed{seed}.json", seed=STUDY.seeds),
    output:
        png=report(
            "<results>/figures/fig_qualitative.png",
            category="Figures",
            labels={"figure": "qualitative"},
            caption="../report/fig_qualitative.rst",
        ),
        pdf="<results>/figures/fig_qualitative.pdf",
    log:
        "<logs>/fig_qualitative.log",
    benchmark:
        "<benchmarks>/fig_qualitative.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    message:
        "Drawing samples beside the truth"
    shell:
        "python scripts/fig_qualitative.py"
        " --config {input.config} --study {input.study}"
        " --benchmark {input.benchmark} --samples {input.samples}"
        " --metrics {input.metrics}"
        " --output {output} > {log} 2>&1"


rule fig_difficulty:
    input:
        code=code_of("fig_difficulty"),
        config=cfg("report"),
        study=cfg("study"),
        scans=rules.train_autoencoder.input.scans,
        benchmarks=rules.generate.input.benchmarks,
        metrics=rules.drpose_table.input.metrics,
    output:
        png=report(
            "<results>/figures/fig_difficulty.png",
            category="Figures",
            labels={"figure": "difficulty"},
            caption="../report/fig_difficulty.rst",
        ),
        pdf="<results>/figures/fig_difficulty.pdf",
    log:
        "<logs>/fig_difficulty.log",
    benchmark:
        "<benchmarks>/fig_difficulty.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    message:
        "Drawing error by pose difficulty"
    shell:
        "python scripts/fig_difficulty.py"
        " --config {input.config} --study {input.study}"
        " --scans {input.scans} --benchmarks {input.benchmarks}"
        " --metrics {input.metrics}"
        " --output {output} > {log} 2>&1"


rule drpose:
    input:
        rules.drpose_table.output,
        rules.fig_pose_diversity.output,
        rules.fig_skeletons.output,
        rules.fig_training.output,
        rules.fig_qualitative.output,
        rules.fig_difficulty.output,
