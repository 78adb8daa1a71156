"""After the last job: what the run made, on the terminal.

In:  the jobs that ran, their tables, benchmark files and inputs.
Out: nothing but lines; none where no table was made, and no input changed while its job ran.
"""

from poseloop.report.ending import ending
from poseloop.runtime.outdated import outdate


onsuccess:
    jobs = [job for job in workflow.dag.finished_jobs if not job.rule.norun]
    made = [str(path) for job in jobs for path in job.output]
    timed = {
        " ".join([job.rule.name, *map(str, job.wildcards)]): str(job.benchmark)
        for job in jobs
        if job.benchmark
    }
    print(*or_exit(ending, made, timed), sep="\n")
    for output, inputs in outdate().items():
        print(f"Run again: {', '.join(inputs)} changed while {output} was made")
