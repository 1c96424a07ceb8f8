// The process `tidewire-cloud`.
import CloudNode
import Glibc

let variables = CloudConfiguration.variables.compactMap { name in getenv(name).map { (name, String(cString: $0)) } }
exit(CloudProgram.run(Array(CommandLine.arguments.dropFirst()), environment: Dictionary(variables) { first, _ in first }))
