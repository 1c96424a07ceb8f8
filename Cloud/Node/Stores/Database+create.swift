// Making a new database's tables, whole or not at all.
internal import Platform

extension Database {
    /// Runs a schema in one transaction: a start that dies halfway leaves an empty file, and the next start begins anew.
    func create(_ schema: String) throws(DatabaseError) {
        do { try write { database in try database.script(schema) } } catch let error as DatabaseError { throw error } catch {
            throw .refused("\(error)")
        }
    }
}
