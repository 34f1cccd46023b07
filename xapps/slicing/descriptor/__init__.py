"""The xApp descriptor for onboarding: `config-file.json`, and `schema.json` for its `controls`."""
