"""Control flow of one function: steps, normal and exceptional edges, and typestate over them."""

from __future__ import annotations

from pitfall_lint.semantic.flow.graph import EXITS, Graph, States
from pitfall_lint.semantic.flow.judge import Judge
from pitfall_lint.semantic.flow.steps import Edge, Step

__all__ = ["EXITS", "Edge", "Graph", "Judge", "States", "Step"]
