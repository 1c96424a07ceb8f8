// Columns of text for a terminal.

/// Rows under a heading, each column as wide as its widest cell.
enum Table {
    static func text(_ rows: [[String]], heading: [String]) -> String {
        let all = [heading] + rows
        let widths = heading.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        let lines = all.map { row in
            let cells = row.enumerated().map { index, cell in
                index == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[index] - cell.count + 2)
            }
            return cells.joined()
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
