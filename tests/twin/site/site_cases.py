"""Small sites that the tests share."""

from pathlib import Path

import numpy as np

from twin.site.site_map import SiteMap, whole_hundredths

NAMES = ("west", "east")


def small_map(*, rows: int = 7, columns: int = 9, spacing_m: float = 10.0, seed: int = 3) -> SiteMap:
    """Two cells on a field of random gains, with a house in the middle and one place that nothing reaches."""
    rng = np.random.default_rng(seed)
    gain_db = whole_hundredths(rng.uniform(-120.0, -60.0, (2, rows, columns)))
    outdoors = np.ones((rows, columns), dtype=bool)
    outdoors[2:4, 3:6] = False
    gain_db[:, 0, 0] = np.nan
    east = (columns - 1) * spacing_m
    return SiteMap(
        names=NAMES,
        position_m=np.array([[-30.0, 25.0, 10.0], [east - 30.0, 25.0, 10.0]]),
        carrier_hz=3.5e9,
        origin_m=(-30.0, 5.0),
        spacing_m=spacing_m,
        gain_db=gain_db,
        line_of_sight=rng.random((2, rows, columns)) < 0.5,
        outdoors=outdoors,
        no_path_loss_db=180.0,
        digest="none",
    )


def write_scene(folder: Path) -> Path:
    """A concrete block, 20 m wide, 4 m deep and 20 m high, on nothing, in empty space."""
    path = folder / "block.xml"
    path.write_text(
        """<scene version="2.1.0">
    <bsdf type="itu-radio-material" id="concrete">
        <string name="type" value="concrete"/>
        <float name="thickness" value="0.3"/>
    </bsdf>
    <shape type="ply" id="block">
        <string name="filename" value="block.ply"/>
        <ref id="concrete" name="bsdf"/>
    </shape>
</scene>
"""
    )
    corners = [(x, y, z) for x in (-2, 2) for y in (-10, 10) for z in (0, 20)]
    faces = ["0 1 3 2", "4 6 7 5", "0 4 5 1", "2 3 7 6", "0 2 6 4", "1 5 7 3"]
    triangles = [f"3 {a} {b} {c}" for a, b, c, d in map(str.split, faces)]
    triangles += [f"3 {a} {c} {d}" for a, b, c, d in map(str.split, faces)]
    head = (
        "ply\nformat ascii 1.0\nelement vertex 8\nproperty float x\nproperty float y\nproperty float z\n"
        "element face 12\nproperty list uchar int vertex_index\nend_header\n"
    )
    lines = [" ".join(map(str, corner)) for corner in corners] + triangles
    (folder / "block.ply").write_text(head + "\n".join(lines) + "\n")
    return path
