"""Readers of the four real test sets in their documented layouts: pictures and joints.

3DPW, MPI-INF-3DHP, SKI-PosePTZ and AGORA are the reader's to obtain; nothing is downloaded.
"""
