"""Captured people as scan sets beside the rendered ones.

In:  the body (assets.smk), captures.yaml and the folders that it names; scans.yaml for the size of
     the pictures and the views.
Out: <results>/scans/{set}.npz and its manifest, for the sets of captures.yaml.
"""

from poseloop.data.capture_config import CapturesConfig

CAPTURES = or_exit(load_config, cfg("captures"), CapturesConfig)


# The names in captures.yaml are its own; all others are rendered.
ruleorder: photograph_captures > render_scans


rule photograph_captures:
    input:
        code=code_of("photograph_captures"),
        config=cfg("captures"),
        scans=cfg("scans"),
        assets=assets_of("captures"),
        body=rules.bake_body.output.npz,
    output:
        scans="<results>/scans/{set}.npz",
        manifest="<results>/scans/{set}.json",
    log:
        "<logs>/photograph_captures/{set}.log",
    benchmark:
        "<benchmarks>/photograph_captures/{set}.tsv"
    wildcard_constraints:
        # Without captures no name fits.
        set="|".join(CAPTURES.captures) or "(?!)",
    priority: 20
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
    message:
        "Photographing the scans of {wildcards.set}"
    shell:
        "python scripts/photograph_captures.py --config {input.config} --scans {input.scans}"
        " --set {wildcards.set} --body {input.body} --output {output.scans} > {log} 2>&1"
