import { BadGatewayException, Controller, Get, Param, ParseIntPipe } from '@nestjs/common';

@Controller('recommendations')
export class RecommendationsController {
  @Get(':customerId')
  async find(@Param('customerId', ParseIntPipe) customerId: number): Promise<unknown> {
    const response = await fetch(`${process.env['RECOMMENDATIONS_URL']}/albums?customer=${customerId}`);
    if (!response.ok) throw new BadGatewayException();
    return response.json();
  }
}
