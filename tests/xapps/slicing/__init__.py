"""Tests of the slicing xApp."""
