import { Body, Controller, Get, Post } from '@nestjs/common';
import { SlowThreshold } from 'nestjs-performance';
import { OrdersService } from './orders.service';

@Controller()
export class OrdersController {
  constructor(private readonly orders: OrdersService) {}

  @Post('checkout')
  @SlowThreshold(150)
  checkout(
    @Body() { customerId = 1, albumId = 1 }: { customerId?: number; albumId?: number },
  ): Promise<unknown> {
    return this.orders.checkout(customerId, albumId);
  }

  @Get('reports/sold-together')
  soldTogether(): Promise<unknown> {
    return this.orders.soldTogether();
  }
}
