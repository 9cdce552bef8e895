"""The unified labels and the maps from vendors' labels to them."""

from reelvet.taxonomy.label_map import CLEAN, LabelMap, Mapping
from reelvet.taxonomy.tree import QUARANTINE, UNMAPPED, Kind, Label, Taxonomy

__all__ = ["CLEAN", "QUARANTINE", "UNMAPPED", "Kind", "Label", "LabelMap", "Mapping", "Taxonomy"]
