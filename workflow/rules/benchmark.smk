"""Independent judge and metrics.

In:  judge scans and benchmarks (data.smk), samples (drpose.smk); judge.yaml, evaluate.yaml.
Out: <results>/judge/{model.safetensors,metrics.json}, <results>/metrics/truth.json,
     <results>/metrics/{method}/seed{seed}.json and <results>/metrics/{method}/diversity.json.
"""


rule train_judge:
    input:
        code=code_of("train_judge"),
        config=cfg("judge"),
        scans=f"<results>/scans/{STUDY.judge_scans}.npz",
        validation=rules.train_autoencoder.input.validation,
    output:
        model="<results>/judge/model.safetensors",
        metrics="<results>/judge/metrics.json",
    log:
        "<logs>/train_judge.log",
    benchmark:
        "<benchmarks>/train_judge.tsv"
    priority: 5
    conda:
        "../../envs/gpu.yaml"
    threads: cores_of("judge")
    resources:
        mem_mb=2000,
        gpu=gpus_of("judge"),
    message:
        "Training the independent judge of joints"
    shell:
        "python -m poseloop.runtime.launch {resources.gpu} scripts/train_judge.py"
        " --config {input.config} --scans {input.scans}"
        " --validation {input.validation} --output {output.model}"
        " --metrics {output.metrics} > {log} 2>&1"


rule evaluate_truth:
    input:
        code=code_of("evaluate_truth"),
        config=cfg("evaluate"),
        assets=assets_of("evaluate"),
        judge=rules.train_judge.output.model,
        benchmarks=rules.generate.input.benchmarks,
    output:
        "<results>/metrics/truth.json",
    log:
        "<logs>/evaluate_truth.log",
    benchmark:
        "<benchmarks>/evaluate_truth.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: cores_of("evaluate")
    resources:
        mem_mb=2500,
    message:
        "Measuring what the metrics give on ground-truth images"
    shell:
        "python scripts/evaluate_truth.py --config {input.config} --judge {input.judge}"
        " --benchmarks {input.benchmarks} --output {output} > {log} 2>&1"


rule evaluate:
    input:
        code=code_of("evaluate"),
        config=cfg("evaluate"),
        assets=assets_of("evaluate"),
        judge=rules.train_judge.output.model,
        benchmarks=rules.generate.input.benchmarks,
        samples=rules.generate.output,
    output:
        "<results>/metrics/{method}/seed{seed}.json",
    log:
        "<logs>/evaluate/{method}/seed{seed}.log",
    benchmark:
        "<benchmarks>/evaluate/{method}/seed{seed}.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: cores_of("evaluate")
    resources:
        mem_mb=2500,
    message:
        "Measuring {wildcards.method}, seed {wildcards.seed}"
    shell:
        "python scripts/evaluate.py --config {input.config} --judge {input.judge}"
        " --benchmarks {input.benchmarks} --samples {input.samples}"
        " --output {output} > {log} 2>&1"


rule evaluate_diversity:
    input:
        code=code_of("evaluate_diversity"),
        config=cfg("evaluate"),
        samples=collect(
            "<results>/samples/{{method}}/seed{seed}/{benchmark}.npz",
            seed=STUDY.seeds,
            benchmark=STUDY.benchmarks,
        ),
    output:
        "<results>/metrics/{method}/diversity.json",
    log:
        "<logs>/evaluate_diversity/{method}.log",
    benchmark:
        "<benchmarks>/evaluate_diversity/{method}.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
    message:
        "Measuring how much samples differ between seeds: {wildcards.method}"
    shell:
        "python scripts/evaluate_diversity.py --config {input.config}"
        " --samples {input.samples} --output {output} > {log} 2>&1"
