"""Jobs: from the cube to stored figures. Every job is a pure function of the cube, the registry and the day it is asked for."""
