"""What is wrong, why, and the exact fix."""

from torchdoctor.diagnosis.builds import judge_builds
from torchdoctor.diagnosis.finding import Finding

__all__ = ["Finding", "judge_builds"]
