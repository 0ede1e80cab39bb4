import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { fetchFromOutside } from '../support/application.js';

/** A tool's answer. */
export interface ToolAnswer {
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: each tool has data of its own.
  readonly data: any;
  readonly isError: boolean;
}

export function toolAnswerOf({ content: [content], structuredContent, isError }: CallToolResult): ToolAnswer {
  return {
    text: content?.type === 'text' ? content.text : '',
    data: structuredContent,
    isError: isError === true,
  };
}

/** An agent: the official client, connected. */
export class Agent {
  /** Errors of the transport that fail no request, such as a refused stream. */
  readonly errors: Error[] = [];
  private constructor(readonly client: Client) {}

  static async over(transport: Transport): Promise<Agent> {
    const agent = new Agent(new Client({ name: 'agent', version: '1.0.0' }));
    agent.client.onerror = (error) => agent.errors.push(error);
    await agent.client.connect(transport);
    return agent;
  }

  /** @param endpoint `http://127.0.0.1:3000/performance` */
  static at(endpoint: string, headers: Record<string, string> = {}): Promise<Agent> {
    return Agent.over(
      new StreamableHTTPClientTransport(new URL(`${endpoint}/mcp`), {
        fetch: (url, init) => fetchFromOutside(String(url), init),
        requestInit: { headers },
      }),
    );
  }

  async call(name: string, given: Record<string, unknown> = {}): Promise<ToolAnswer> {
    return toolAnswerOf((await this.client.callTool({ name, arguments: given })) as CallToolResult);
  }

  close(): Promise<void> {
    return this.client.close();
  }
}
