package dev.muelle.services.autoscaling.state;

/** From where to where an instance goes. */
public record Way(Side origin, Side destination) {

  /** The one that an instance is on; of one that rests, the one that leads out. */
  public static Way of(Member member) {
    if (member.going()) {
      return new Way(member.pooled() ? Side.POOL : Side.GROUP, Side.EC2);
    }
    Side from = member.from() == null ? Side.EC2 : member.from();
    return new Way(from, member.pooled() ? Side.POOL : Side.GROUP);
  }
}
