//! What the tests of several rooms share: each module is a piece of a stage on which the real thing runs.
