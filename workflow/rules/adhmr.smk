"""ADHMR: pictures, diffusion HMR, HMR-Scorer, preference pairs, DPO, cleaning, tables, figures.

In:  body and motion clips (assets.smk); adhmr_study.yaml with the lists, hmr_images.yaml, hmr.yaml,
     hmr_scorer.yaml, hmr_preferences.yaml, adhmr.yaml, hmr_evaluate.yaml, hmr_cleaning.yaml,
     adhmr_report.yaml.
Out: <results>/adhmr/: images/{pictures}.npz with labels in labels/{pictures}.npz, encoder/, base/, scorer/,
     preferences/{source}/, tuned/{tuned}/, values/{hmr_method}/, cleaning/{keeper}/;
     <results>/tables/adhmr_*.{csv,md,tex} and <results>/figures/fig_adhmr_*.{png,pdf}.

The lists, and the functions that name inputs, are in adhmr_common.smk. What leads to the scorer
goes first, since most others wait for it, then preference pairs, then what learns from them; what
measures is short and goes last.
The labels of the wild pictures are an input of `evaluate_scorer` alone, outside the loop.
"""


wildcard_constraints:
    pictures="|".join(ADHMR.image_sets),
    source="|".join(PREFERENCES.sources),
    tuned="|".join(TUNE.variants),
    hmr_method="|".join(ADHMR.methods),
    keeper="|".join(KEEPERS),


rule render_hmr_images:
    input:
        code=code_of("render_hmr_images"),
        config=cfg("hmr_images"),
        assets=assets_of("hmr_images"),
        body=rules.bake_body.output.npz,
        clips=rules.prepare_motion.output.clips,
    output:
        images=IMAGES,
        labels=LABELS,
        manifest="<results>/adhmr/images/{pictures}.json",
    log:
        "<logs>/render_hmr_images/{pictures}.log",
    benchmark:
        "<benchmarks>/render_hmr_images/{pictures}.tsv"
    priority: first_for_scorer
    conda:
        "../../envs/cpu.yaml"
    threads: lambda wildcards: HMR_IMAGES.processes_of(wildcards.pictures)
    resources:
        mem_mb=2000,
    message:
        "Rendering the pictures of {wildcards.pictures}"
    shell:
        "python scripts/render_hmr_images.py --config {input.config}"
        " --set {wildcards.pictures} --body {input.body} --clips {input.clips}"
        " --images {output.images} --labels {output.labels}"
        " --manifest {output.manifest} > {log} 2>&1"


rule train_hmr_encoder:
    input:
        code=code_of("train_hmr_encoder"),
        config=cfg("hmr"),
        assets=assets_of("hmr"),
        body=rules.bake_body.output.npz,
        images=images_of(ADHMR.scorer_images),
        labels=labels_of(ADHMR.scorer_images),
        validation=images_of(ADHMR.validation_images),
        validation_labels=labels_of(ADHMR.validation_images),
    output:
        model="<results>/adhmr/encoder/model.safetensors",
        metrics="<results>/adhmr/encoder/metrics.json",
        log="<results>/adhmr/encoder/log.csv",
    log:
        "<logs>/train_hmr_encoder.log",
    benchmark:
        "<benchmarks>/train_hmr_encoder.tsv"
    priority: 4
    conda:
        "../../envs/gpu.yaml"
    threads: cores_of("hmr")
    resources:
        mem_mb=2500,
        gpu=gpus_of("hmr"),
    message:
        "Training the image encoder on 2D joints"
    shell:
        "python -m poseloop.runtime.launch {resources.gpu} scripts/train_hmr_encoder.py"
        " --config {input.config} --body {input.body}"
        " --images {input.images} --labels {input.labels}"
        " --validation {input.validation} --validation-labels {input.validation_labels}"
        " --output {output.model} --metrics {output.metrics} --log {output.log}"
        " > {log} 2>&1"


rule train_hmr:
    input:
        code=code_of("train_hmr"),
        config=cfg("hmr"),
        assets=assets_of("hmr"),
        body=rules.bake_body.output.npz,
        encoder=rules.train_hmr_encoder.output.model,
        images=images_of(ADHMR.base_images),
        labels=labels_of(ADHMR.base_images),
        validation=images_of(ADHMR.validation_images),
        validation_labels=labels_of(ADHMR.validation_images),
    output:
        model="<results>/adhmr/base/model.safetensors",
        metrics="<results>/adhmr/base/metrics.json",
        log="<results>/adhmr/base/log.csv",
    log:
        "<logs>/train_hmr.log",
    benchmark:
        "<benchmarks>/train_hmr.tsv"
    priority: 4
    conda:
        "../../envs/gpu.yaml"
    threads: cores_of("hmr")
    resources:
        mem_mb=2500,
        gpu=gpus_of("hmr"),
    message:
        "Training the diffusion HMR base"
    shell:
        "python -m poseloop.runtime.launch {resources.gpu} scripts/train_hmr.py"
        " --config {input.config} --body {input.body}"
        " --encoder {input.encoder}"
        " --images {input.images} --labels {input.labels}"
        " --validation {input.validation} --validation-labels {input.validation_labels}"
        " --output {output.model} --metrics {output.metrics} --log {output.log}"
        " > {log} 2>&1"


rule make_hmr_candidates:
    input:
        code=code_of("make_hmr_candidates"),
        config=cfg("hmr_scorer"),
        body=rules.bake_body.output.npz,
        model=rules.train_hmr.output.model,
        images=images_of(ADHMR.scorer_images),
        labels=labels_of(ADHMR.scorer_images),
        validation=rules.train_hmr.input.validation,
        validation_labels=rules.train_hmr.input.validation_labels,
    output:
        candidates="<results>/adhmr/scorer/candidates.npz",
        validation="<results>/adhmr/scorer/validation_candidates.npz",
    log:
        "<logs>/make_hmr_candidates.log",
    benchmark:
        "<benchmarks>/make_hmr_candidates.tsv"
    priority: 4
    conda:
        "../../envs/gpu.yaml"
    threads: cores_of("hmr_scorer")
    resources:
        mem_mb=2500,
        gpu=gpus_of("hmr_scorer"),
    message:
        "Drawing the scorer's candidates"
    shell:
        "python -m poseloop.runtime.launch {resources.gpu} scripts/make_hmr_candidates.py"
        " --config {input.config}"
        " --body {input.body} --model {input.model}"
        " --images {input.images} --labels {input.labels}"
        " --validation {input.validation} --validation-labels {input.validation_labels}"
        " --output {output.candidates} --validation-output {output.validation}"
        " > {log} 2>&1"


rule train_hmr_scorer:
    input:
        code=code_of("train_hmr_scorer"),
        config=cfg("hmr_scorer"),
        body=rules.bake_body.output.npz,
        model=rules.train_hmr.output.model,
        images=rules.make_hmr_candidates.input.images,
        labels=rules.make_hmr_candidates.input.labels,
        candidates=rules.make_hmr_candidates.output.candidates,
        validation=rules.train_hmr.input.validation,
        validation_candidates=rules.make_hmr_candidates.output.validation,
    output:
        model="<results>/adhmr/scorer/model.safetensors",
        metrics="<results>/adhmr/scorer/metrics.json",
        log="<results>/adhmr/scorer/log.csv",
    log:
        "<logs>/train_hmr_scorer.log",
    benchmark:
        "<benchmarks>/train_hmr_scorer.tsv"
    priority: 4
    conda:
        "../../envs/gpu.yaml"
    threads: cores_of("hmr_scorer")
    resources:
        mem_mb=2500,
        gpu=gpus_of("hmr_scorer"),
    message:
        "Training HMR-Scorer"
    shell:
        "python -m poseloop.runtime.launch {resources.gpu} scripts/train_hmr_scorer.py"
        " --config {input.config} --body {input.body}"
        " --model {input.model} --images {input.images} --labels {input.labels}"
        " --candidates {input.candidates} --validation {input.validation}"
        " --validation-candidates {input.validation_candidates}"
        " --output {output.model} --metrics {output.metrics} --log {output.log}"
        " > {log} 2>&1"


rule evaluate_scorer:
    input:
        code=code_of("evaluate_scorer"),
        config=cfg("hmr_evaluate"),
        body=rules.bake_body.output.npz,
        model=rules.train_hmr.output.model,
        scorer=rules.train_hmr_scorer.output.model,
        images=collect(IMAGES, pictures=[*ADHMR.evaluation, ADHMR.wild]),
        labels=collect(LABELS, pictures=[*ADHMR.evaluation, ADHMR.wild]),
    output:
        values="<results>/adhmr/scorer/ranking.json",
        scores="<results>/adhmr/scorer/scores.npz",
    log:
        "<logs>/evaluate_scorer.log",
    benchmark:
        "<benchmarks>/evaluate_scorer.tsv"
    conda:
        "../../envs/gpu.yaml"
    threads: cores_of("hmr_evaluate")
    resources:
        mem_mb=2500,
        gpu=gpus_of("hmr_evaluate"),
    message:
        "Measuring how hypotheses are ranked"
    shell:
        "python -m poseloop.runtime.launch {resources.gpu} scripts/evaluate_scorer.py"
        " --config {input.config} --body {input.body}"
        " --model {input.model} --scorer {input.scorer} --images {input.images}"
        " --labels {input.labels} --output {output.values} --scores {output.scores}"
        " > {log} 2>&1"


rule make_preferences:
    input:
        code=code_of("make_preferences"),
        config=cfg("hmr_preferences"),
        body=rules.bake_body.output.npz,
        model=rules.train_hmr.output.model,
        scorer=source_scorer,
        images=lambda wildcards: images_of(source_of(wildcards).images),
        labels=source_labels,
    output:
        shards=collect(
            "<results>/adhmr/preferences/{{source}}/shard_{shard}.npz",
            shard=range(PREFERENCES.shards),
        ),
        manifest="<results>/adhmr/preferences/{source}/manifest.json",
    log:
        "<logs>/make_preferences/{source}.log",
    benchmark:
        "<benchmarks>/make_preferences/{source}.tsv"
    priority: 3
    conda:
        "../../envs/gpu.yaml"
    threads: cores_of("hmr_preferences")
    resources:
        mem_mb=2500,
        gpu=gpus_of("hmr_preferences"),
    params:
        given=lambda wildcards, input: (
            f"--labels {input.labels}" if input.labels else f"--scorer {input.scorer}"
        ),
    message:
        "Making preference pairs: {wildcards.source}"
    shell:
        "python -m poseloop.runtime.launch {resources.gpu} scripts/make_preferences.py"
        " --config {input.config}"
        " --source {wildcards.source} --body {input.body} --model {input.model}"
        " --images {input.images} {params.given}"
        " --shards {output.shards} --manifest {output.manifest} > {log} 2>&1"


rule finetune_adhmr:
    input:
        code=code_of("finetune_adhmr"),
        config=cfg("adhmr"),
        body=rules.bake_body.output.npz,
        model=rules.train_hmr.output.model,
        preferences=lambda wildcards: [
            f"<results>/adhmr/preferences/{name}/manifest.json"
            for name in sources_of(wildcards)
        ],
        shards=lambda wildcards: [
            f"<results>/adhmr/preferences/{name}/shard_{shard}.npz"
            for name in sources_of(wildcards)
            for shard in range(PREFERENCES.shards)
        ],
        images=lambda wildcards: [
            images_of(PREFERENCES.sources[name].images)
            for name in sources_of(wildcards)
        ],
        validation=rules.train_hmr.input.validation,
        validation_labels=rules.train_hmr.input.validation_labels,
    output:
        models=collect(
            "<results>/adhmr/tuned/{{tuned}}/seed{seed}.safetensors", seed=TUNE.seeds
        ),
        logs=collect("<results>/adhmr/tuned/{{tuned}}/seed{seed}.csv", seed=TUNE.seeds),
    log:
        "<logs>/finetune_adhmr/{tuned}.log",
    benchmark:
        "<benchmarks>/finetune_adhmr/{tuned}.tsv"
    priority: 2
    conda:
        "../../envs/gpu.yaml"
    threads: cores_of("adhmr")
    resources:
        mem_mb=2500,
        gpu=gpus_of("adhmr"),
    message:
        "Fine-tuning the diffusion HMR base: {wildcards.tuned}"
    shell:
        "python -m poseloop.runtime.launch {resources.gpu} scripts/finetune_adhmr.py"
        " --config {input.config}"
        " --variant {wildcards.tuned} --body {input.body} --model {input.model}"
        " --preferences {input.preferences} --images {input.images}"
        " --validation {input.validation} --validation-labels {input.validation_labels}"
        " --output {output.models} --log {output.logs} > {log} 2>&1"


rule evaluate_hmr:
    input:
        code=code_of("evaluate_hmr"),
        config=cfg("hmr_evaluate"),
        body=rules.bake_body.output.npz,
        scorer=rules.train_hmr_scorer.output.model,
        models=models_of,
        images=collect(IMAGES, pictures=ADHMR.evaluation),
        labels=collect(LABELS, pictures=ADHMR.evaluation),
    output:
        collect(
            "<results>/adhmr/values/{{hmr_method}}/seed{seed}.json", seed=TUNE.seeds
        ),
    log:
        "<logs>/evaluate_hmr/{hmr_method}.log",
    benchmark:
        "<benchmarks>/evaluate_hmr/{hmr_method}.tsv"
    priority: 1
    conda:
        "../../envs/gpu.yaml"
    threads: cores_of("hmr_evaluate")
    resources:
        mem_mb=2500,
        gpu=gpus_of("hmr_evaluate"),
    params:
        seeds=TUNE.seeds,
    message:
        "Measuring hypotheses: {wildcards.hmr_method}"
    shell:
        "python -m poseloop.runtime.launch {resources.gpu} scripts/evaluate_hmr.py"
        " --config {input.config} --body {input.body}"
        " --scorer {input.scorer} --models {input.models} --images {input.images}"
        " --labels {input.labels} --seeds {params.seeds} --output {output} > {log} 2>&1"


rule clean_labels:
    input:
        code=code_of("clean_labels"),
        config=cfg("hmr_cleaning"),
        body=rules.bake_body.output.npz,
        model=rules.train_hmr.output.model,
        scorer=keeper_scorer,
        images=images_of(ADHMR.cleaned),
        labels=labels_of(ADHMR.cleaned),
        test_images=collect(IMAGES, pictures=ADHMR.evaluation),
        test_labels=collect(LABELS, pictures=ADHMR.evaluation),
    output:
        collect(
            "<results>/adhmr/cleaning/{{keeper}}/seed{seed}.json", seed=CLEANING.seeds
        ),
    log:
        "<logs>/clean_labels/{keeper}.log",
    benchmark:
        "<benchmarks>/clean_labels/{keeper}.tsv"
    priority: 2
    conda:
        "../../envs/gpu.yaml"
    threads: cores_of("hmr_cleaning")
    resources:
        mem_mb=2500,
        gpu=gpus_of("hmr_cleaning"),
    params:
        scorer=lambda wildcards, input: (
            f"--scorer {input.scorer}" if input.scorer else ""
        ),
    message:
        "Cleaning labels and retraining: {wildcards.keeper}"
    shell:
        "python -m poseloop.runtime.launch {resources.gpu} scripts/clean_labels.py"
        " --config {input.config} --body {input.body}"
        " --model {input.model} {params.scorer} --images {input.images}"
        " --labels {input.labels} --test-images {input.test_images}"
        " --test-labels {input.test_labels} --output {output} > {log} 2>&1"


rule adhmr_tables:
    input:
        code=code_of("adhmr_tables"),
        config=cfg("adhmr_report"),
        study=cfg("adhmr_study"),
        cleaning_config=cfg("hmr_cleaning"),
        values=collect(
            "<results>/adhmr/values/{hmr_method}/seed{seed}.json",
            hmr_method=ADHMR.methods,
            seed=TUNE.seeds,
        ),
        ranking=rules.evaluate_scorer.output.values,
        cleaning=collect(
            "<results>/adhmr/cleaning/{keeper}/seed{seed}.json",
            keeper=KEEPERS,
            seed=CLEANING.seeds,
        ),
    output:
        csv=report(
            collect(
                "<results>/tables/adhmr_{hmr_table}.csv",
                hmr_table=[*HMR_REPORT.tables, "scorer", "cleaning"],
            ),
            category="Tables",
            caption="../report/table_adhmr.rst",
        ),
        others=collect(
            "<results>/tables/adhmr_{hmr_table}.{form}",
            hmr_table=[*HMR_REPORT.tables, "scorer", "cleaning"],
            form=["md", "tex"],
        ),
    log:
        "<logs>/adhmr_tables.log",
    benchmark:
        "<benchmarks>/adhmr_tables.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        folder=subpath(output[0], parent=True),
    message:
        "Writing the ADHMR tables"
    shell:
        "python scripts/adhmr_tables.py --config {input.config} --study {input.study}"
        " --cleaning-config {input.cleaning_config} --values {input.values}"
        " --ranking {input.ranking} --cleaning {input.cleaning} --output {params.folder}"
        " > {log} 2>&1"


rule fig_adhmr_min:
    input:
        code=code_of("fig_adhmr_min"),
        config=cfg("adhmr_report"),
        study=cfg("adhmr_study"),
        values=collect(
            "<results>/adhmr/values/{hmr_method}/seed{seed}.json",
            hmr_method=HMR_REPORT.curves,
            seed=TUNE.seeds,
        ),
    output:
        png=report(
            "<results>/figures/fig_adhmr_min.png",
            category="Figures",
            labels={"figure": "ADHMR, min over M"},
            caption="../report/fig_adhmr_min.rst",
        ),
        pdf="<results>/figures/fig_adhmr_min.pdf",
    log:
        "<logs>/fig_adhmr_min.log",
    benchmark:
        "<benchmarks>/fig_adhmr_min.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    message:
        "Drawing the error of the best of M hypotheses"
    shell:
        "python scripts/fig_adhmr_min.py --config {input.config} --study {input.study}"
        " --values {input.values} --output {output} > {log} 2>&1"


rule fig_adhmr_scorer:
    input:
        code=code_of("fig_adhmr_scorer"),
        study=cfg("adhmr_study"),
        scores=rules.evaluate_scorer.output.scores,
    output:
        png=report(
            "<results>/figures/fig_adhmr_scorer.png",
            category="Figures",
            labels={"figure": "ADHMR, scorer"},
            caption="../report/fig_adhmr_scorer.rst",
        ),
        pdf="<results>/figures/fig_adhmr_scorer.pdf",
    log:
        "<logs>/fig_adhmr_scorer.log",
    benchmark:
        "<benchmarks>/fig_adhmr_scorer.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    message:
        "Drawing scores against errors"
    shell:
        "python scripts/fig_adhmr_scorer.py --study {input.study}"
        " --scores {input.scores} --output {output} > {log} 2>&1"


rule fig_adhmr_training:
    input:
        code=code_of("fig_adhmr_training"),
        config=cfg("adhmr_report"),
        study=cfg("adhmr_study"),
        logs=collect(
            "<results>/adhmr/tuned/{tuned}/seed{seed}.csv",
            tuned=[n for n in ADHMR.variants if TUNE.variants[n].objective == "dpo"],
            seed=TUNE.seeds,
        ),
    output:
        png=report(
            "<results>/figures/fig_adhmr_training.png",
            category="Figures",
            labels={"figure": "ADHMR, training"},
            caption="../report/fig_adhmr_training.rst",
        ),
        pdf="<results>/figures/fig_adhmr_training.pdf",
    log:
        "<logs>/fig_adhmr_training.log",
    benchmark:
        "<benchmarks>/fig_adhmr_training.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    message:
        "Drawing DPO's losses, accuracy and logits"
    shell:
        "python scripts/fig_adhmr_training.py --config {input.config}"
        " --study {input.study} --logs {input.logs} --output {output} > {log} 2>&1"


rule fig_adhmr_overlays:
    input:
        code=code_of("fig_adhmr_overlays"),
        config=cfg("adhmr_report"),
        measure=cfg("hmr_evaluate"),
        body=rules.bake_body.output.npz,
        model=f"<results>/adhmr/tuned/{HMR_REPORT.overlay_method}/seed{TUNE.seeds[0]}.safetensors",
        scorer=rules.train_hmr_scorer.output.model,
        images=images_of(HMR_REPORT.overlay_set),
        labels=labels_of(HMR_REPORT.overlay_set),
    output:
        png=report(
            "<results>/figures/fig_adhmr_overlays.png",
            category="Figures",
            labels={"figure": "ADHMR, overlays"},
            caption="../report/fig_adhmr_overlays.rst",
        ),
        pdf="<results>/figures/fig_adhmr_overlays.pdf",
    log:
        "<logs>/fig_adhmr_overlays.log",
    benchmark:
        "<benchmarks>/fig_adhmr_overlays.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    message:
        "Drawing hypotheses over their pictures"
    shell:
        "python scripts/fig_adhmr_overlays.py --config {input.config}"
        " --measure {input.measure} --body {input.body} --model {input.model}"
        " --scorer {input.scorer} --images {input.images} --labels {input.labels}"
        " --output {output} > {log} 2>&1"


rule adhmr:
    input:
        rules.adhmr_tables.output,
        rules.fig_adhmr_min.output,
        rules.fig_adhmr_scorer.output,
        rules.fig_adhmr_training.output,
        rules.fig_adhmr_overlays.output,
