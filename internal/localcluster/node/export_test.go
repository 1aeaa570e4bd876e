package node

// ProgramArchive is for tests that run pods: it makes an image of a program.
var ProgramArchive = programArchive
