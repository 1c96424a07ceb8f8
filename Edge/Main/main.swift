// The process `tidewire-edge`.
import EdgeAgent
import Glibc

exit(EdgeProgram.run(Array(CommandLine.arguments.dropFirst())) { name in getenv(name).map { String(cString: $0) } })
