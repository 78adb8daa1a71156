"""Helpers of the carving's rules: which pictures are carved.

In:  nothing but wildcards and the study's lists (common.smk).
Out: views_of() and all_views_of() for reconstruct.smk.
"""


def views_of(wildcards):
    """Pictures to carve: a method's samples, or the benchmark's own."""
    if wildcards.views == "truth":
        return f"<results>/benchmarks/{wildcards.benchmark}.npz"
    return f"<results>/samples/{wildcards.views}/seed{wildcards.seed}/{wildcards.benchmark}.npz"


def all_views_of(wildcards):
    """As `views_of`, of every benchmark."""
    folder = f"samples/{wildcards.views}/seed{wildcards.seed}"
    if wildcards.views == "truth":
        folder = "benchmarks"
    return collect(f"<results>/{folder}/{{benchmark}}.npz", benchmark=STUDY.benchmarks)
