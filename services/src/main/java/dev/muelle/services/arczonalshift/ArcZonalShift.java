package dev.muelle.services.arczonalshift;

import dev.muelle.loop.Timers;
import dev.muelle.services.Ids;
import dev.muelle.store.Store;
import java.util.random.RandomGenerator;
import software.amazon.awssdk.services.arczonalshift.ArcZonalShiftClient;
import software.amazon.awssdk.services.arczonalshift.model.CancelZonalShiftRequest;
import software.amazon.awssdk.services.arczonalshift.model.CancelZonalShiftResponse;
import software.amazon.awssdk.services.arczonalshift.model.GetManagedResourceRequest;
import software.amazon.awssdk.services.arczonalshift.model.GetManagedResourceResponse;
import software.amazon.awssdk.services.arczonalshift.model.ListManagedResourcesRequest;
import software.amazon.awssdk.services.arczonalshift.model.ListManagedResourcesResponse;
import software.amazon.awssdk.services.arczonalshift.model.ListZonalShiftsRequest;
import software.amazon.awssdk.services.arczonalshift.model.ListZonalShiftsResponse;
import software.amazon.awssdk.services.arczonalshift.model.StartZonalShiftRequest;
import software.amazon.awssdk.services.arczonalshift.model.StartZonalShiftResponse;
import software.amazon.awssdk.services.arczonalshift.model.UpdateZonalShiftRequest;
import software.amazon.awssdk.services.arczonalshift.model.UpdateZonalShiftResponse;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;

/**
 * Zonal shifts of one account in one region.
 *
 * @see <a href="https://docs.aws.amazon.com/arc-zonal-shift/latest/api/Welcome.html">ARC - Zonal
 *     Shift API</a>
 */
public final class ArcZonalShift implements ArcZonalShiftClient {

  private final Resources resources;
  private final Shifts shifts;

  public ArcZonalShift(
      Store store,
      Timers timers,
      Ids ids,
      RandomGenerator random,
      Ec2Client ec2,
      ElasticLoadBalancingV2Client elb) {
    resources = new Resources(store, ec2, elb);
    shifts = new Shifts(store, timers, ids, random, resources);
  }

  /** Takes up the work where an earlier server left it. */
  public void start() {
    shifts.start();
  }

  @Override
  public String serviceName() {
    return SERVICE_NAME;
  }

  @Override
  public void close() {
    shifts.close();
  }

  @Override
  public StartZonalShiftResponse startZonalShift(StartZonalShiftRequest request) {
    return shifts.start(request);
  }

  @Override
  public UpdateZonalShiftResponse updateZonalShift(UpdateZonalShiftRequest request) {
    return shifts.update(request);
  }

  @Override
  public CancelZonalShiftResponse cancelZonalShift(CancelZonalShiftRequest request) {
    return shifts.cancel(request);
  }

  @Override
  public ListZonalShiftsResponse listZonalShifts(ListZonalShiftsRequest request) {
    return shifts.list(request);
  }

  @Override
  public GetManagedResourceResponse getManagedResource(GetManagedResourceRequest request) {
    return resources.get(request);
  }

  @Override
  public ListManagedResourcesResponse listManagedResources(ListManagedResourcesRequest request) {
    return resources.list(request);
  }
}
