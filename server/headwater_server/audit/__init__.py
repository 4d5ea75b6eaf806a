"""The log as evidence: signed checkpoints, proofs, verification, and erasure that leaves the tree whole."""
