(* Theorem 2, the pathwise statement (P): what a round of stochastic gradient descent sums to, on every path.

   A round is w_0, ..., w_(tau-1) >= 0 > w_tau. On the flat side an iterate falls by at most D = eta (a + nu) a step.
   From that alone: a round from w_0 = m D with n <= m < n + 1 sums to at least D ((n+1)(m - n/2) - 1), this least sum
   is attained, and it is positive for m > 1 and for no smaller m. If moreover (c-1) a >= 2 nu, every prepared round
   has exactly one sharp iterate and starts at w_min or above, and so (c-2) a > 3 nu makes the average of every
   prepared round positive. The mean of the noise plays no part. *)
From Coq Require Import Reals Lra Lia List.
From Valleys Require Import Process Sgd Steps.
Import ListNotations.
Open Scope R_scope.

(* ---------------- a round as a list of numbers ---------------- *)

Fixpoint total (l : list R) : R := match l with [] => 0 | x :: r => x + total r end.

(* The round w, l: all its numbers are >= 0 but the last, which is < 0, and each falls by at most D below the one
   before it. *)
Fixpoint is_round (D : R) (w : R) (l : list R) : Prop :=
  0 <= w /\ match l with
  | [] => False
  | [x] => x < 0 /\ w - D <= x
  | x :: r => w - D <= x /\ is_round D x r
  end.

(* The least sum of a round from w = m D, as a function of m and of n = the integer part of m. *)
Definition least_sum (D m n : R) : R := D * ((n + 1) * (m - n / 2) - 1).

Lemma total_cons x r : total (x :: r) = x + total r. Proof. reflexivity. Qed.

(* The bound holds for every natural number k (the lines k are the tangents of a convex function of m). *)
Lemma round_total_tangent D l : 0 < D -> forall m k, is_round D (m * D) l -> least_sum D m (INR k) <= m * D + total l.
Proof.
  intros HD. unfold least_sum. induction l as [|x r IH]; intros m k H; [destruct H; contradiction|].
  pose proof (pos_INR k) as Hk0.
  assert (Ex : x = (x / D) * D) by (field; lra).
  destruct r as [|y r].
  - destruct H as [Hw [Hx Hs]]. simpl total.
    assert (Hm : 0 <= m) by nra. assert (Hm1 : m <= 1) by nra.
    destruct k as [|k].
    + simpl. nra.
    + rewrite S_INR in *. pose proof (pos_INR k).
      assert (0 <= (INR k + 1) * INR k / 2 - INR k * m + 1) by nra. nra.
  - destruct H as [Hw [Hs Hr]]. rewrite total_cons.
    assert (Hx : 0 <= x) by (destruct r; apply Hr).
    rewrite Ex in Hr.
    assert (Hxm : m - 1 <= x / D).
    { apply (Rmult_le_reg_r D); [auto|]. rewrite <- Ex. lra. }
    destruct k as [|k].
    + specialize (IH (x / D) 0%nat Hr). rewrite <- Ex in IH. simpl in IH |- *.
      assert (0 <= x / D) by (apply Rmult_le_pos; [lra|left; apply Rinv_0_lt_compat; auto]). nra.
    + specialize (IH (x / D) k Hr). rewrite <- Ex in IH. rewrite S_INR. pose proof (pos_INR k) as Hk.
      assert (D * ((INR k + 1) * (m - 1 - INR k / 2) - 1) <= D * ((INR k + 1) * (x / D - INR k / 2) - 1)).
      { apply Rmult_le_compat_l; [lra|]. apply Rplus_le_compat_r. apply Rmult_le_compat_l; lra. }
      nra.
Qed.

(* (P), first half. Every round from w_0 = m D with n <= m < n + 1 sums to at least D ((n+1)(m - n/2) - 1).
   (The bound holds for every n; it is largest for this one.) *)
Theorem pathwise_bound D m n l : 0 < D -> INR n <= m < INR n + 1 -> is_round D (m * D) l ->
  least_sum D m (INR n) <= m * D + total l.
Proof. intros HD _ H. apply round_total_tangent; auto. Qed.

(* The smooth form of the bound: D ((n+1)(m - n/2) - 1) >= D (m (m+1)/2 - 1). *)
Lemma least_sum_quadratic D m n : 0 < D -> n <= m <= n + 1 -> D * (m * (m + 1) / 2 - 1) <= least_sum D m n.
Proof. intros HD Hm. unfold least_sum. apply Rmult_le_compat_l; [lra|]. nra. Qed.

(* ---------------- the bound is attained ---------------- *)

(* The round that falls by D each step while it can, then to 0 and to -D: (r + n, ..., r + 1, r, 0, -1), times D. *)
Fixpoint steepest (D r : R) (n : nat) : list R := match n with
  | O => [0; - D]
  | Datatypes.S k => (r + INR k) * D :: steepest D r k
  end.

(* (P), sharpness. The least sum is attained, by an explicit round, from every height. *)
Theorem pathwise_bound_attained D m n : 0 < D -> INR n <= m < INR n + 1 ->
  is_round D (m * D) (steepest D (m - INR n) n) /\ m * D + total (steepest D (m - INR n) n) = least_sum D m (INR n).
Proof.
  intros HD Hm. remember (m - INR n) as r eqn:Er.
  assert (Em : m = r + INR n) by lra. subst m. assert (Hr : 0 <= r < 1) by lra. clear Er Hm.
  unfold least_sum. split.
  - induction n as [|n IH].
    + simpl. rewrite Rplus_0_r. repeat split; nra.
    + rewrite S_INR. pose proof (pos_INR n). cbn [steepest is_round]. split; [nra|].
      destruct n as [|n]; (split; [nra|exact IH]).
  - induction n as [|n IH]; [simpl; field|]. rewrite S_INR in *. cbn [steepest]. rewrite total_cons, IH. field.
Qed.

(* (P), the threshold. Every round from w has a positive sum if w > D, and not otherwise. *)
Theorem pathwise_positive_iff D w : 0 < D -> 0 <= w ->
  ((forall l, is_round D w l -> 0 < w + total l) <-> D < w).
Proof.
  intros HD Hw. split.
  - intros H. destruct (Rlt_or_le D w) as [|Hle]; auto. exfalso.
    specialize (H [0; - D]). simpl in H. assert (0 < w + (0 + (- D + 0))); [|lra].
    apply H. repeat split; lra.
  - intros Hlt l Hr. replace w with (w / D * D) in Hr by (field; lra).
    pose proof (round_total_tangent D l HD (w / D) 0 Hr) as T. unfold least_sum in T. simpl in T.
    replace (w / D * D) with w in T by (field; lra).
    replace (D * ((0 + 1) * (w / D - 0 / 2) - 1)) with (w - D) in T by (field; lra). lra.
Qed.

(* ---------------- the rounds of the process ---------------- *)
Section Rounds.
Context {S : Type} {step : S -> list (R * S)} {pos g : S -> R} {eta a b B c nu : R}.
Context (H : sgd_any_mean S step pos g eta a b B c nu).
Let D := fall eta a nu.

Lemma round_tail s l : 0 <= pos s -> round S pos (s :: l) = s :: round S pos l.
Proof. intros Hs. simpl. destruct (Rlt_dec (pos s) 0); [lra|auto]. Qed.
Lemma complete_tail s l : 0 <= pos s -> complete S pos (s :: l) = complete S pos l.
Proof. intros Hs. simpl. destruct (Rlt_dec (pos s) 0); [lra|auto]. Qed.
Lemma round_sharp s l : pos s < 0 -> round S pos (s :: l) = [s].
Proof. intros Hs. simpl. destruct (Rlt_dec (pos s) 0); [auto|lra]. Qed.

Lemma pos_sum_total l : pos_sum S pos l = total (map pos l).
Proof. induction l as [|s l IH]; simpl; [auto|rewrite IH; auto]. Qed.

(* A complete round on a path of the process is a round in the sense of [is_round]. *)
Lemma process_round l : forall s, chain step (s :: l) -> complete S pos (s :: l) = true -> 0 <= pos s ->
  is_round D (pos s) (map pos (round S pos l)).
Proof.
  induction l as [|s' l IH]; intros s Hc Hco Hs.
  - simpl in Hco. destruct (Rlt_dec (pos s) 0); [lra|discriminate].
  - destruct Hc as [[q Hin] Hc]. rewrite complete_tail in Hco by auto.
    pose proof (flat_child H _ _ _ Hs Hin) as Hf. fold D in Hf.
    destruct (Rlt_or_le (pos s') 0) as [Hn|Hp].
    + rewrite round_sharp by auto. simpl. auto.
    + specialize (IH s' Hc Hco Hp). rewrite round_tail by auto. cbn [map is_round]. split; [auto|].
      destruct (map pos (round S pos l)) eqn:E; [destruct IH; contradiction|]. split; auto.
Qed.

(* (P) for the process. On every path, whatever the mean of the noise: a complete round that starts at the height m D,
   n <= m < n + 1, sums to at least D ((n+1)(m - n/2) - 1) >= D (m (m+1)/2 - 1). *)
Theorem pathwise_sum s l n : let m := pos s / D in
  chain step (s :: l) -> complete S pos (s :: l) = true -> 0 <= pos s -> INR n <= m < INR n + 1 ->
  least_sum D m (INR n) <= pos_sum S pos (round S pos (s :: l)) /\ D * (m * (m + 1) / 2 - 1) <= least_sum D m (INR n).
Proof.
  intros m Hc Hco Hs Hm. pose proof (fall_pos H) as HD. fold D in HD.
  assert (Em : pos s = m * D) by (unfold m; field; lra). split.
  - pose proof (process_round l s Hc Hco Hs) as R. rewrite Em in R.
    pose proof (pathwise_bound D m n _ HD Hm R) as T.
    rewrite round_tail by auto. simpl pos_sum. rewrite pos_sum_total, Em. exact T.
  - apply least_sum_quadratic; lra.
Qed.

(* (P), positivity. On every path a complete round that starts above D has a positive average. *)
Theorem pathwise_positive s l : chain step (s :: l) -> complete S pos (s :: l) = true -> D < pos s ->
  0 < round_mean S pos (s :: l).
Proof.
  intros Hc Hco Hs. pose proof (fall_pos H) as HD. fold D in HD. unfold round_mean. rewrite Hco.
  apply Rdiv_lt_0_compat.
  - rewrite round_tail by lra. simpl pos_sum. rewrite pos_sum_total.
    apply (proj2 (pathwise_positive_iff D (pos s) HD ltac:(lra))); auto. apply process_round; auto. lra.
  - unfold len. apply lt_0_INR. simpl. lia.
Qed.

Lemma last_default (r : list S) : forall x d1 d2, last (x :: r) d1 = last (x :: r) d2.
Proof. induction r as [|y r IH]; intros x d1 d2; [auto|]. apply (IH y). Qed.

(* The sharp iterate that ends a round is within D of the floor. *)
Lemma round_end l : forall s, chain step (s :: l) -> complete S pos (s :: l) = true -> - D <= pos s ->
  let e := last (round S pos (s :: l)) s in - D <= pos e < 0.
Proof.
  pose proof (fall_pos H) as HD. fold D in HD.
  induction l as [|s' l IH]; intros s Hc Hco Hs.
  - simpl in *. destruct (Rlt_dec (pos s) 0); [lra|discriminate].
  - destruct (Rlt_or_le (pos s) 0) as [Hn|Hp]; [rewrite round_sharp by auto; simpl; lra|].
    destruct Hc as [[q Hin] Hc]. rewrite complete_tail in Hco by auto.
    pose proof (flat_child H _ _ _ Hp Hin) as Hf. fold D in Hf.
    specialize (IH s' Hc Hco ltac:(lra)). rewrite round_tail by auto. cbv zeta in *.
    cbn [round] in *. rewrite (last_default _ s' s' s) in IH. exact IH.
Qed.

(* From the second round on all rounds are prepared: if (c-1) a >= 2 nu, then from any start s with w_0 >= -D each
   child of the node that ends its round is the start of a prepared round, at height w_min or above. *)
Theorem later_rounds_prepared s l : 2 * nu <= (c - 1) * a -> - D <= pos s -> chain step (s :: l) ->
  complete S pos (s :: l) = true -> let e := last (round S pos (s :: l)) s in
  forall q s', In (q, s') (step e) -> 0 <= w_min eta a c nu <= pos s' /\ round_start S step pos D s'.
Proof.
  intros one_sharp Hs Hc Hco e q s' Hin. pose proof (w_min_nonneg H one_sharp).
  assert (He : - D <= pos e < 0) by (apply round_end; auto).
  assert (W : w_min eta a c nu <= pos s') by (eapply (sharp_child H); [| |eassumption]; fold D; lra).
  repeat split; auto; try lra. exists e, q. repeat split; auto; lra.
Qed.

(* (P), second half. If (c-1) a >= 2 nu, every prepared round starts at w_min or above, and it has exactly one sharp
   iterate: its last, which is within D of the floor and is followed by the start of the next prepared round. *)
Theorem one_sharp_iterate s l : 2 * nu <= (c - 1) * a -> round_start S step pos D s -> chain step (s :: l) ->
  complete S pos (s :: l) = true ->
  let e := last (round S pos (s :: l)) s in
  0 <= w_min eta a c nu <= pos s /\ - D <= pos e < 0 /\
  forall q s', In (q, s') (step e) -> w_min eta a c nu <= pos s' /\ round_start S step pos D s'.
Proof.
  intros one_sharp Hs Hc Hco e. pose proof (w_min_nonneg H one_sharp). pose proof (start_height H _ Hs) as W.
  pose proof (fall_pos H) as HD. fold D in HD.
  assert (HsD : - D <= pos s) by lra.
  pose proof (later_rounds_prepared s l one_sharp HsD Hc Hco) as L. cbv zeta in L. fold e in L.
  pose proof (round_end l s Hc Hco HsD) as He. cbv zeta in He. fold e in He.
  split; [lra|]. split; [lra|]. intros q s' Hin. destruct (L q s' Hin) as [[L1 L2] L3]. auto.
Qed.

(* (P), in terms of the constants. If (c-2) a > 3 nu, every prepared round has a positive average, on every path. *)
Theorem prepared_rounds_positive s l : 3 * nu < (c - 2) * a ->
  round_start S step pos D s -> chain step (s :: l) -> complete S pos (s :: l) = true ->
  0 < round_mean S pos (s :: l).
Proof.
  intros Hc Hs Hch Hco. apply pathwise_positive; auto. eapply Rlt_le_trans; [|eapply (start_height H); eauto].
  unfold D, fall, w_min. apply Rmult_lt_compat_l; [exact (am_eta H)|lra].
Qed.
End Rounds.
