"""Generated protobuf and gRPC stubs of Tandem. The contracts are in protos/."""
