"""Body model and motion.

In:  the open body baked from Anny, or a licensed folder named in body.yaml; the motion sources
     named in motion.yaml.
Out: <results>/body/smpl/SMPL_NEUTRAL.{pkl,npz}, <results>/motion/{clips.npz,report.json} and
     the figures fig_bodies and fig_motion.
"""


rule bake_body:
    input:
        code=code_of("bake_body"),
        config=cfg("body"),
        assets=assets_of("body"),
    output:
        pkl="<results>/body/smpl/SMPL_NEUTRAL.pkl",
        npz="<results>/body/smpl/SMPL_NEUTRAL.npz",
        report="<results>/body/report.json",
    log:
        "<logs>/bake_body.log",
    benchmark:
        "<benchmarks>/bake_body.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2500,
    params:
        folder=subpath(output.report, parent=True),
    message:
        "Writing the body model in SMPL's file format"
    shell:
        "python scripts/bake_body.py --config {input.config} --out {params.folder}"
        " > {log} 2>&1"


rule prepare_motion:
    input:
        code=code_of("prepare_motion"),
        config=cfg("motion"),
        assets=assets_of("motion"),
        body=rules.bake_body.output.npz,
    output:
        clips="<results>/motion/clips.npz",
        report="<results>/motion/report.json",
    log:
        "<logs>/prepare_motion.log",
    benchmark:
        "<benchmarks>/prepare_motion.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
    message:
        "Retargeting the motion clips to the body"
    shell:
        "python scripts/prepare_motion.py --config {input.config} --body {input.body}"
        " --clips {output.clips} --report {output.report} > {log} 2>&1"
