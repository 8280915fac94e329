"""Directories: the vectors of directory.md.

    python3 test/second/directory.py > test/vectors/directory.json

An entry is {name, kind, mode, seconds, nanoseconds, meta, content}, bytes in hex. Content of kinds 1
to 3 is {root, k, n, ciphertextBytes, offset, sliceBytes, plaintextBytes, readKey, codec, storedBytes},
as far as the kind has them; the number of a directory that was written before in the same case may
stand for kind 3. Many entries are {gen: "numbers", from, count}: n0000000 … of kind 0, mode 0644,
1,700,000,000 seconds and 5 nanoseconds, without meta, the number as u32 for content; or
{gen: "links", from, count, bytes}: of kind 4, the target so many letters a.
Objects that are there to be read are given by root, as what is in them; no hash is looked at. The
vectors are frozen: a change of what this prints is a change of the format.
"""
from diropening import opening
from dirops import vectors
from dirreading import listing, verifying
from dirwriting import changing, writing


def main():
    writing()
    opening()
    listing()
    verifying()
    changing()
    vectors.print()


if __name__ == "__main__":
    main()
