import { Injectable } from '@nestjs/common';

@Injectable()
export class ProfileClient {
  async profilesOf(ids: number[]): Promise<unknown[]> {
    const profiles: unknown[] = [];
    for (const id of ids) profiles.push(await this.profileOf(id));
    return profiles;
  }

  private async profileOf(id: number): Promise<unknown> {
    const response = await fetch(`${process.env['UPSTREAM_URL']}/users/${id}?delay=8`); // call site: http
    return response.json();
  }
}
