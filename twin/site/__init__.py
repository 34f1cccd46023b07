"""Ray-traced sites: what a scene and its transmitters' places make of every link's slow gain."""
