import {
  type CanActivate,
  Controller,
  DefaultValuePipe,
  Get,
  Param,
  ParseIntPipe,
  Query,
  UseGuards,
} from '@nestjs/common';
import { CatalogService } from './catalog.service';
import type { Album } from './entities';

/** Rejects every request. */
class AdminGuard implements CanActivate {
  canActivate(): boolean {
    return false;
  }
}

@Controller()
export class CatalogController {
  constructor(private readonly catalog: CatalogService) {}

  @Get('albums')
  albums(@Query('page', new DefaultValuePipe(0), ParseIntPipe) page: number): Promise<Album[]> {
    return this.catalog.list(page);
  }

  @Get('albums/with-tracks')
  albumsWithTracks(@Query('page', new DefaultValuePipe(0), ParseIntPipe) page: number): Promise<unknown[]> {
    return this.catalog.withTracks(page);
  }

  @Get('albums/:id')
  album(@Param('id', ParseIntPipe) id: number): Promise<Album> {
    return this.catalog.find(id);
  }

  @Get('tracks/search')
  search(@Query('q', new DefaultValuePipe('a')) text: string): Promise<unknown[]> {
    return this.catalog.search(text);
  }

  @Get('admin')
  @UseGuards(AdminGuard)
  admin(): string {
    return 'unreachable';
  }
}
