"""What people add to the graph by hand: tags, descriptions, owners, notes, edges, archiving."""
