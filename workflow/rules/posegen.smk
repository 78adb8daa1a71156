"""PoseGen: pictures, estimators, articulated NeRF, generator, the loop, its evaluation and report.

In:  the body and the motion clips (assets.smk); posegen_images.yaml, posegen_estimators.yaml,
     posegen_nerf.yaml, posegen.yaml, posegen_report.yaml.
Out: <results>/posegen/ with images, estimators, nerf, generator, loop and errors,
     <results>/tables/posegen_{main,ablations,nerf}.{csv,md,tex} and
     <results>/figures/fig_posegen_*.{png,pdf}. The target `posegen` gathers tables and figures.

The lists, and the function that names the runs of the loop, are in posegen_common.smk.
"""


wildcard_constraints:
    posegen_estimator="|".join(POSEGEN_ESTIMATORS.estimators),
    posegen_field="parts|relative",
    posegen_part="main|ablations",


rule posegen_render_images:
    input:
        code=code_of("posegen_render_images"),
        config=cfg("posegen_images"),
        assets=assets_of("posegen_images"),
        body=rules.bake_body.output.npz,
        clips=rules.prepare_motion.output.clips,
    output:
        collect("<results>/posegen/images/{set}.npz", set=POSEGEN_SETS),
    log:
        "<logs>/posegen_render_images.log",
    benchmark:
        "<benchmarks>/posegen_render_images.tsv"
    priority: 4
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2500,
    params:
        sets=POSEGEN_SETS,
    message:
        "Rendering PoseGen's picture sets"
    shell:
        "python scripts/posegen_render_images.py --config {input.config} --sets {params.sets}"
        " --body {input.body} --clips {input.clips} --output {output} > {log} 2>&1"


rule posegen_train_estimator:
    input:
        code=code_of("posegen_train_estimator"),
        config=cfg("posegen_estimators"),
        image_config=cfg("posegen_images"),
        body=rules.bake_body.output.npz,
        images=lambda wildcards: "<results>/posegen/images/{}.npz".format(
            POSEGEN_ESTIMATORS.estimators[wildcards.posegen_estimator].images
        ),
        validation=[
            "<results>/posegen/images/validation.npz",
            f"<results>/posegen/images/{POSEGEN.indomain}.npz",
        ],
    output:
        model="<results>/posegen/estimators/{posegen_estimator}.safetensors",
        log="<results>/posegen/estimators/{posegen_estimator}.csv",
    log:
        "<logs>/posegen_train_estimator/{posegen_estimator}.log",
    benchmark:
        "<benchmarks>/posegen_train_estimator/{posegen_estimator}.tsv"
    priority: 4
    conda:
        "../../envs/gpu.yaml"
    threads: cores_of("posegen_estimators")
    resources:
        mem_mb=2000,
        gpu=gpus_of("posegen_estimators"),
    message:
        "Training the estimator {wildcards.posegen_estimator}"
    shell:
        "python -m poseloop.runtime.launch {resources.gpu} scripts/posegen_train_estimator.py"
        " --config {input.config}"
        " --image-config {input.image_config} --estimator {wildcards.posegen_estimator}"
        " --body {input.body} --images {input.images} --validation {input.validation}"
        " --output {output.model} --log {output.log} > {log} 2>&1"


rule posegen_capture:
    input:
        code=code_of("posegen_capture"),
        config=cfg("posegen_nerf"),
        assets=assets_of("posegen_nerf"),
        body=rules.bake_body.output.npz,
        clips=rules.prepare_motion.output.clips,
    output:
        train="<results>/posegen/nerf/train.npz",
        view="<results>/posegen/nerf/view.npz",
        pose="<results>/posegen/nerf/pose.npz",
    log:
        "<logs>/posegen_capture.log",
    benchmark:
        "<benchmarks>/posegen_capture.tsv"
    priority: 4
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
    message:
        "Capturing the NeRF's subjects"
    shell:
        "python scripts/posegen_capture.py --config {input.config} --body {input.body}"
        " --clips {input.clips} --output {output} > {log} 2>&1"


rule posegen_train_field:
    input:
        code=code_of("posegen_train_field"),
        config=cfg("posegen_nerf"),
        body=rules.bake_body.output.npz,
        captures=rules.posegen_capture.output.train,
    output:
        model="<results>/posegen/nerf/{posegen_field}.safetensors",
        log="<results>/posegen/nerf/{posegen_field}.csv",
    log:
        "<logs>/posegen_train_field/{posegen_field}.log",
    benchmark:
        "<benchmarks>/posegen_train_field/{posegen_field}.tsv"
    priority: first_of_fields
    conda:
        "../../envs/gpu.yaml"
    threads: cores_of("posegen_nerf")
    resources:
        mem_mb=2500,
        gpu=gpus_of("posegen_nerf"),
    message:
        "Training the articulated field {wildcards.posegen_field}"
    shell:
        "python -m poseloop.runtime.launch {resources.gpu} scripts/posegen_train_field.py"
        " --config {input.config}"
        " --field {wildcards.posegen_field} --body {input.body} --captures {input.captures}"
        " --output {output.model} --log {output.log} > {log} 2>&1"


rule posegen_train_generator:
    input:
        code=code_of("posegen_train_generator"),
        config=cfg("posegen"),
        assets=assets_of("posegen"),
        body=rules.bake_body.output.npz,
        clips=rules.prepare_motion.output.clips,
    output:
        model="<results>/posegen/generator.safetensors",
        log="<results>/posegen/generator.csv",
    log:
        "<logs>/posegen_train_generator.log",
    benchmark:
        "<benchmarks>/posegen_train_generator.tsv"
    priority: 4
    conda:
        "../../envs/gpu.yaml"
    threads: cores_of("posegen")
    resources:
        mem_mb=1500,
        gpu=gpus_of("posegen"),
    message:
        "Warming up the generators of poses"
    shell:
        "python -m poseloop.runtime.launch {resources.gpu} scripts/posegen_train_generator.py"
        " --config {input.config} --body {input.body}"
        " --clips {input.clips} --output {output.model} --log {output.log} > {log} 2>&1"


rule posegen_evaluate_nerf:
    input:
        code=code_of("posegen_evaluate_nerf"),
        config=cfg("posegen"),
        image_config=cfg("posegen_images"),
        nerf_config=cfg("posegen_nerf"),
        body=rules.bake_body.output.npz,
        fields=collect(
            "<results>/posegen/nerf/{field}.safetensors", field=["parts", "relative"]
        ),
        held_out=[
            rules.posegen_capture.output.view,
            rules.posegen_capture.output.pose,
        ],
        estimator=f"<results>/posegen/estimators/{POSEGEN_ESTIMATORS.tuned[0]}.safetensors",
        check=f"<results>/posegen/estimators/{POSEGEN_ESTIMATORS.check}.safetensors",
        generator=rules.posegen_train_generator.output.model,
        anchor="<results>/posegen/images/ordinary.npz",
        validation="<results>/posegen/images/validation.npz",
    output:
        values="<results>/posegen/nerf/values.json",
        pictures="<results>/posegen/nerf/pictures.npz",
    log:
        "<logs>/posegen_evaluate_nerf.log",
    benchmark:
        "<benchmarks>/posegen_evaluate_nerf.tsv"
    conda:
        "../../envs/gpu.yaml"
    threads: cores_of("posegen_nerf")
    resources:
        mem_mb=2500,
        gpu=gpus_of("posegen_nerf"),
    message:
        "Measuring the articulated fields"
    shell:
        "python -m poseloop.runtime.launch {resources.gpu} scripts/posegen_evaluate_nerf.py"
        " --config {input.config}"
        " --image-config {input.image_config} --nerf-config {input.nerf_config}"
        " --body {input.body} --fields {input.fields} --held-out {input.held_out}"
        " --estimator {input.estimator} --check {input.check}"
        " --generator {input.generator} --anchor {input.anchor}"
        " --validation {input.validation} --output {output.values}"
        " --pictures {output.pictures} > {log} 2>&1"


rule posegen_run_loop:
    input:
        code=code_of("posegen_run_loop"),
        config=cfg("posegen"),
        image_config=cfg("posegen_images"),
        nerf_config=cfg("posegen_nerf"),
        body=rules.bake_body.output.npz,
        estimator="<results>/posegen/estimators/{posegen_estimator}.safetensors",
        check=rules.posegen_evaluate_nerf.input.check,
        field="<results>/posegen/nerf/parts.safetensors",
        generator=rules.posegen_train_generator.output.model,
        anchor="<results>/posegen/images/ordinary.npz",
        validation="<results>/posegen/images/validation.npz",
    output:
        models="<results>/posegen/loop/{posegen_estimator}/{posegen_part}/seed{seed}.safetensors",
        log="<results>/posegen/loop/{posegen_estimator}/{posegen_part}/seed{seed}.csv",
        examples="<results>/posegen/loop/{posegen_estimator}/{posegen_part}/seed{seed}.npz",
    log:
        "<logs>/posegen_run_loop/{posegen_estimator}/{posegen_part}/seed{seed}.log",
    benchmark:
        "<benchmarks>/posegen_run_loop/{posegen_estimator}/{posegen_part}/seed{seed}.tsv"
    priority: ablations_first
    conda:
        "../../envs/gpu.yaml"
    threads: cores_of("posegen")
    resources:
        mem_mb=2500,
        gpu=gpus_of("posegen"),
    params:
        methods=lambda wildcards: POSEGEN.parts(wildcards.posegen_estimator)[
            wildcards.posegen_part
        ],
    message:
        "Running the loop on {wildcards.posegen_estimator}, {wildcards.posegen_part}, "
        "seed {wildcards.seed}"
    shell:
        "python -m poseloop.runtime.launch {resources.gpu} scripts/posegen_run_loop.py"
        " --config {input.config}"
        " --image-config {input.image_config} --nerf-config {input.nerf_config}"
        " --seed {wildcards.seed} --methods {params.methods} --body {input.body}"
        " --estimator {input.estimator}"
        " --check {input.check} --field {input.field} --generator {input.generator}"
        " --anchor {input.anchor} --validation {input.validation}"
        " --output {output.models} --log {output.log} --examples {output.examples}"
        " > {log} 2>&1"


rule posegen_evaluate:
    input:
        code=code_of("posegen_evaluate"),
        config=cfg("posegen_images"),
        body=rules.bake_body.output.npz,
        models=lambda wildcards: posegen_runs(
            wildcards.posegen_estimator, "safetensors"
        ),
        images=collect("<results>/posegen/images/{set}.npz", set=POSEGEN_TESTS),
    output:
        "<results>/posegen/errors/{posegen_estimator}.npz",
    log:
        "<logs>/posegen_evaluate/{posegen_estimator}.log",
    benchmark:
        "<benchmarks>/posegen_evaluate/{posegen_estimator}.tsv"
    conda:
        "../../envs/gpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        gpu=gpus_of("posegen_images"),
    message:
        "Evaluating {wildcards.posegen_estimator} on the test sets"
    shell:
        "python -m poseloop.runtime.launch {resources.gpu} scripts/posegen_evaluate.py"
        " --config {input.config} --body {input.body}"
        " --models {input.models} --images {input.images} --output {output} > {log} 2>&1"


rule posegen_table:
    input:
        code=code_of("posegen_tables"),
        config=cfg("posegen_report"),
        study=cfg("posegen"),
        errors=collect(
            "<results>/posegen/errors/{estimator}.npz",
            estimator=POSEGEN_ESTIMATORS.tuned,
        ),
        nerf=rules.posegen_evaluate_nerf.output.values,
    output:
        csv=report(
            collect(
                "<results>/tables/posegen_{table}.csv",
                table=["main", "ablations", "nerf"],
            ),
            category="Tables",
            caption="../report/posegen_table.rst",
        ),
        md=collect(
            "<results>/tables/posegen_{table}.md",
            table=["main", "ablations", "nerf"],
        ),
        tex=collect(
            "<results>/tables/posegen_{table}.tex",
            table=["main", "ablations", "nerf"],
        ),
    log:
        "<logs>/posegen_table.log",
    benchmark:
        "<benchmarks>/posegen_table.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    message:
        "Writing PoseGen's tables"
    shell:
        "python scripts/posegen_tables.py --config {input.config} --study {input.study}"
        " --errors {input.errors} --nerf {input.nerf} --output {output.csv} > {log} 2>&1"


rule posegen_figures:
    input:
        code=code_of("posegen_figures"),
        config=cfg("posegen_report"),
        study=cfg("posegen"),
        image_config=cfg("posegen_images"),
        body=rules.bake_body.output.npz,
        ordinary="<results>/posegen/images/ordinary.npz",
        tests=collect("<results>/posegen/images/{set}.npz", set=POSEGEN.test_sets),
        examples=posegen_runs(POSEGEN_ESTIMATORS.tuned[0], "npz"),
        model=f"<results>/posegen/loop/{POSEGEN_ESTIMATORS.tuned[0]}/main/"
        f"seed{POSEGEN.seeds[0]}.safetensors",
        fields=rules.posegen_evaluate_nerf.output.pictures,
    output:
        png=report(
            collect(
                "<results>/figures/fig_posegen_{figure}.png", figure=POSEGEN_FIGURES
            ),
            category="Figures",
            caption="../report/posegen_figures.rst",
        ),
        pdf=collect(
            "<results>/figures/fig_posegen_{figure}.pdf", figure=POSEGEN_FIGURES
        ),
    log:
        "<logs>/posegen_figures.log",
    benchmark:
        "<benchmarks>/posegen_figures.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    params:
        folder=lambda wildcards, output: str(Path(output.png[0]).parent),
    message:
        "Drawing PoseGen's figures"
    shell:
        "python scripts/posegen_figures.py --config {input.config} --study {input.study}"
        " --image-config {input.image_config} --body {input.body}"
        " --ordinary {input.ordinary} --tests {input.tests} --examples {input.examples}"
        " --model {input.model} --fields {input.fields} --output {params.folder}"
        " > {log} 2>&1"


rule posegen:
    input:
        rules.posegen_table.output,
        rules.posegen_figures.output,
