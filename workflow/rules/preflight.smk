"""Before the first job: does the machine, or the cluster, have what the jobs ask for?

In:  the jobs that are to run, their config files, and under SLURM the cluster's partitions.
Out: one line and exit code 2 if a job could not run; unfinished files of killed jobs are removed.
"""

from poseloop.runtime.jobs_check import check_jobs
from poseloop.runtime.leftovers import remove_leftovers


onstart:
    or_exit(check_jobs, workflow)
    remove_leftovers(Path("results", PRESET))
