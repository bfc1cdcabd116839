import { nodeAead } from "../../../src/host/node/NodeAead.ts"
import { aeadContract } from "../port/aeadContract.ts"

aeadContract(nodeAead)
