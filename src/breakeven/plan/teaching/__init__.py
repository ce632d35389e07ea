"""The parts of the row frozen-teacher.

    clips       moving digits, cut into patches, some of which are hidden
    sizes       of encoder and predictor, and what a step of each kind of training costs
    networks    both
    lessons     what an encoder is taught by: pixels, a frozen teacher, its own average
    probe       what a linear probe reads off features
    recipe      the real run, as cells
    told        the gate, differences over seeds: findings, table and pictures
    published   the formula and the tables of arXiv 2509.24317

Imports: as the room above; torch in networks and lessons.
"""
