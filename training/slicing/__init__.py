"""PA-MRL: slicing agents, trained on the network twin through the xApp's own observation, state and guard."""
