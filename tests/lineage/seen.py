"""Answers as short as a person would say them."""

from headwater_server.lineage import LineageGraph, LineagePath


def nodes(graph: LineageGraph) -> set[str]:
    return {node.name for node in graph.nodes}


def edges(graph: LineageGraph | LineagePath) -> set[str]:
    """`a READS b`, by name; a name in two namespaces is not told apart."""
    name = {
        node.id: (node.name if node.kind != "COLUMN" else node.urn.rpartition("/")[2]) for node in graph.nodes
    }
    return {f"{name[edge.source]} {edge.kind} {name[edge.target]}" for edge in graph.edges}


def depths(graph: LineageGraph) -> dict[str, int]:
    return {node.name: node.depth for node in graph.nodes}
