export class StatementCache { get(text: string): { text: string; summary: string } { return { text: text.replace(/\d+|'[^']*'/g, '?'), summary: text.split(' ')[0] ?? 'SQL' }; } }
