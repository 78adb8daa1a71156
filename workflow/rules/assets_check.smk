"""The external files of a preset: what is present, missing or corrupt.

In:  assets.yaml and the folder that it names.
Out: a table on the terminal, and results/<preset>/assets.json. The rule declares no output, so
     that each call looks at the files anew.
"""


localrules:
    assets_check,


rule assets_check:
    input:
        code=code_of("check_assets"),
        config=cfg("assets"),
    log:
        "<logs>/assets_check.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=500,
    params:
        report=f"results/{PRESET}/assets.json",
    message:
        "Checking the external files"
    shell:
        "python scripts/check_assets.py --config {input.config} --output {params.report}"
        " 2>&1 | tee {log}"
