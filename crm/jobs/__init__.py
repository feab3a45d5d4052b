"""Jobs: work on many customers that goes on behind the answer, survives its process, and is done once.

A chunk's effect and the job's progress are one transaction, so a killed process loses nothing and doubles nothing.
"""
