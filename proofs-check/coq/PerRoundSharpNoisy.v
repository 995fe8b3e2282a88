(* Statement (C), the average of a prepared round, for nu > 1/2 (units eta = a = 1): its threshold is exact as b -> 0.

   (C) needs (PerRound.per_round_threshold) c > 1 + 2 nu + theta with theta = alpha + nu, alpha = min(1, nu), that is
     c > 1 + 4 nu (1/2 <= nu <= 1),   c > 2 + 3 nu (nu >= 1).
   Below it, w = w_min = c - 1 - 2 nu < theta. A round from w can end early, as (w, 0, -theta) with its negative
   average, or last so long near 0 that its average is almost 0. With K large, height = 1/K and b = 1/K^2:
     Before      -(1 + nu)   slope -c, noise +-nu, to Start or to the free node c - 1
     Start       w           slope 1, noise of mean zero, to Zero or to the top of the stairs, top = w - 1 + nu
     Zero        0           slope alpha - 1/K, noise of mean zero, to Early or to Down K
     Early       1/K - theta the round ends early; slope -c
     High j      stairs from top to 1/K, equal steps of length at most 1, without noise
     Down k      k b         slope b, without noise, to Down (k-1); from Down 0 with slope 1 to -1
     Free w                  everything else: slope 1 or -c, without noise. *)
From Coq Require Import Reals Lra Lia List.
From Valleys Require Import Process Sgd LongRunMean PerRoundSharp.
From Valleys Require PerRound.
Import ListNotations.
Open Scope R_scope.

(* ---- rounds of a list of nodes ---- *)
Section Rounds.
Variables (S : Type) (pos : S -> R).
Lemma round_app r l : complete S pos r = true ->
  complete S pos (r ++ l) = true /\ round S pos (r ++ l) = round S pos r.
Proof.
  induction r as [|s r IH]; simpl; [discriminate|]. destruct (Rlt_dec (pos s) 0); [auto|].
  intros H. destruct (IH H) as [-> ->]. auto. Qed.
Lemma round_flat s r : 0 <= pos s ->
  complete S pos (s :: r) = complete S pos r /\ round S pos (s :: r) = s :: round S pos r.
Proof. intros H. simpl. destruct (Rlt_dec (pos s) 0); [lra|auto]. Qed.
(* a complete round with its sum and its number of terms *)
Definition is_round (r : list S) (sum terms : R) : Prop :=
  complete S pos r = true /\ pos_sum S pos (round S pos r) = sum /\ len S (round S pos r) = terms.
Lemma is_round_sharp s l : pos s < 0 -> is_round (s :: l) (pos s) 1.
Proof. intros H. unfold is_round, len. simpl. destruct (Rlt_dec (pos s) 0); [|lra]. simpl. repeat split; ring. Qed.
Lemma is_round_flat s r sum terms : 0 <= pos s -> is_round r sum terms -> is_round (s :: r) (pos s + sum) (terms + 1).
Proof.
  intros H [C [P L]]. destruct (round_flat s r H) as [E1 E2]. unfold is_round. rewrite E1, E2.
  split; [exact C|]. split; [simpl; rewrite P; reflexivity|]. unfold len in *.
  simpl length. rewrite S_INR, L. reflexivity. Qed.
Lemma is_round_mean r l sum terms : is_round r sum terms -> round_mean S pos (r ++ l) = sum / terms.
Proof.
  intros [C [P L]]. destruct (round_app r l C) as [E1 E2]. unfold round_mean. rewrite E1, E2, P, L. reflexivity. Qed.
End Rounds.

Inductive stair_node := Before | Start | Zero | Early | High (j : nat) | Down (k : nat) | Free (w : R).
Section Stairs.
Variables (alpha nu c : R) (K J : nat).
Definition stair_theta : R := alpha + nu.
Definition stair_top : R := start_height c nu - 1 + nu.
Definition stair_q : R := (start_height c nu - 1) / stair_top.         (* probability of the stairs *)
Definition stair_height : R := / INR K.
Definition stair_b : R := / (INR K * INR K).
Definition stair_length : R := (stair_top - stair_height) / INR (S J).
Definition stair_step (s : stair_node) : list (R * stair_node) := match s with
  | Before => [(1 / 2, Start); (1 / 2, Free (c - 1))]
  | Start => [(1 - stair_q, Zero); (stair_q, High J)]
  | Zero => [(alpha / stair_theta, Early); (nu / stair_theta, Down K)]
  | Early => [(1, Free (stair_height - stair_theta + c))]
  | High 0 => [(1, Down K)]
  | High (S j) => [(1, High j)]
  | Down 0 => [(1, Free (-1))]
  | Down (S k) => [(1, Down k)]
  | Free w => [(1, Free (w - free_slope c w))] end.
Definition stair_pos (s : stair_node) : R := match s with
  | Before => - (1 + nu) | Start => start_height c nu | Zero => 0 | Early => stair_height - stair_theta
  | High j => stair_height + INR (S j) * stair_length | Down k => INR k * stair_b | Free w => w end.
Definition stair_slope (s : stair_node) : R := match s with
  | Before => - c | Start => 1 | Zero => alpha - stair_height | Early => - c
  | High _ => stair_length | Down 0 => 1 | Down _ => stair_b | Free w => free_slope c w end.

Hypotheses (Ha : 0 < alpha <= 1) (Hnu : alpha <= nu) (Hw : 1 < start_height c nu < stair_theta).
Hypotheses (HK : (1 <= K)%nat) (HJ : stair_top <= INR (S J)).
Hypotheses (Hal : 2 * stair_height <= alpha) (Hlen : (INR (S J) + 1) * stair_height <= stair_top).

Lemma stair_facts : 0 < stair_height <= 1 /\ 0 < stair_b <= stair_height /\ INR K * stair_b = stair_height /\
  0 < stair_top /\ 0 < stair_q < 1 /\ stair_b <= stair_length <= 1 /\
  INR (S J) * stair_length = stair_top - stair_height /\ 0 < stair_theta.
Proof.
  assert (HK1 : 1 <= INR K) by (apply (le_INR 1); exact HK).
  assert (HJ1 : 1 <= INR (S J)) by (apply (le_INR 1); lia).
  assert (H1 : 0 < stair_height) by (apply Rinv_0_lt_compat; lra).
  assert (H2 : stair_height <= 1) by (unfold stair_height; rewrite <- Rinv_1; apply Rinv_le_contravar; lra).
  assert (H3 : INR K * stair_b = stair_height) by (unfold stair_b, stair_height; field; lra).
  assert (H4 : 0 < stair_b) by (apply Rinv_0_lt_compat, Rmult_lt_0_compat; lra).
  assert (H5 : stair_b <= stair_height) by nra.
  assert (H6 : 0 < stair_top) by (unfold stair_top; lra).
  assert (H7 : INR (S J) * stair_length = stair_top - stair_height) by (unfold stair_length; field; lra).
  assert (H8 : stair_b <= stair_length) by nra.
  assert (H9 : stair_length <= 1) by nra.
  repeat split; auto; try lra.
  - apply Rmult_lt_0_compat; [lra|apply Rinv_0_lt_compat; lra].
  - apply Rmult_lt_reg_r with stair_top; [lra|]. unfold stair_q, Rdiv. rewrite Rmult_assoc, Rinv_l by lra.
    unfold stair_top. lra. Qed.

Lemma stair_is_sgd : sgd stair_node stair_step stair_pos stair_slope 1 1 stair_b c c nu.
Proof.
  destruct stair_facts as [F1 [F2 [F3 [F4 [F5 [F6 [F7 F8]]]]]]].
  assert (W := Hw). unfold start_height, stair_theta in W.
  assert (Q : stair_q * stair_top = start_height c nu - 1) by (unfold stair_q; field; lra).
  assert (Ht : forall x, 0 <= x -> 0 <= x / stair_theta).
  { intros x Hx. apply Rmult_le_pos; [lra|left; apply Rinv_0_lt_compat; lra]. }
  assert (Hh : stair_height + INR (S J) * stair_length = stair_top) by lra.
  assert (Hpos : forall j, 0 <= INR j * stair_length) by (intros; apply Rmult_le_pos; [apply pos_INR|lra]).
  assert (Hposb : forall j, 0 <= INR j * stair_b) by (intros; apply Rmult_le_pos; [apply pos_INR|lra]).
  split; try lra.
  - intros s q s' Hin. pose proof (Ht alpha). pose proof (Ht nu). destruct s as [| | | |[|j]|[|k]|w]; simpl in Hin;
      repeat (destruct Hin as [Hin|Hin]; [injection Hin; intros; lra|]); contradiction.
  - intros s; destruct s as [| | | |[|j]|[|k]|w]; unfold wtot; cbn [stair_step Esum]; try lra.
    unfold stair_theta in *. field. lra.
  - intros s q s' Hin. destruct s as [| | | |[|j]|[|k]|w]; cbn [stair_step In] in Hin;
      repeat (destruct Hin as [Hin|Hin]; [injection Hin; intros <- _; cbn [stair_pos stair_slope];
        rewrite ?Hh, ?S_INR, ?F3; unfold stair_top, start_height, stair_theta in *;
        change (INR 0) with 0; apply Rabs_le; lra|]); contradiction.
  - intros s; destruct s as [| | | |[|j]|[|k]|w]; cbn [stair_step stair_pos stair_slope Esum];
      rewrite ?Hh, ?S_INR, ?F3; change (INR 0) with 0; unfold start_height; try lra.
    + rewrite Rplus_0_r, Q. unfold start_height. ring.
    + unfold stair_theta in *. field. lra.
  - intros s Hs. pose proof F2. destruct s as [| | | |[|j]|[|k]|w]; cbn [stair_pos stair_slope] in *; try lra.
    + unfold free_slope. destruct (Rlt_dec w 0); lra.
  - intros s Hs. destruct s as [| | | |j|k|w]; cbn [stair_pos stair_slope] in *; try lra.
    + pose proof (Hpos (S j)). lra.
    + pose proof (Hposb k). lra.
    + unfold free_slope. destruct (Rlt_dec w 0); lra. Qed.

(* ---- the three possible rounds ---- *)
Fixpoint downs (k : nat) : list stair_node := Down k :: match k with O => [Free (-1)] | S k' => downs k' end.
Fixpoint highs (j : nat) : list stair_node := High j :: match j with O => downs K | S j' => highs j' end.
Definition downs_sum (k : nat) : R := stair_b * (INR k * (INR k + 1) / 2) - 1.
Definition highs_sum (j : nat) : R :=
  INR (S j) * stair_height + stair_length * (INR (S j) * (INR (S j) + 1) / 2) + downs_sum K.
Notation round_of := (is_round stair_node stair_pos).

Lemma downs_round k : round_of (downs k) (downs_sum k) (INR k + 2).
Proof.
  destruct stair_facts as [_ [F2 _]].
  induction k as [|k IH].
  - replace (downs_sum 0) with (stair_pos (Down 0) + stair_pos (Free (-1))) by (unfold downs_sum; simpl; field).
    replace (INR 0 + 2) with (1 + 1) by (simpl; ring).
    apply is_round_flat; [simpl; lra|]. apply is_round_sharp. simpl; lra.
  - replace (downs_sum (S k)) with (stair_pos (Down (S k)) + downs_sum k).
    + replace (INR (S k) + 2) with (INR k + 2 + 1) by (rewrite S_INR; ring).
      apply (is_round_flat _ _ (Down (S k))); [|exact IH].
      cbn [stair_pos]. apply Rmult_le_pos; [apply pos_INR|lra].
    + unfold downs_sum. cbn [stair_pos]. rewrite S_INR. field. Qed.

Lemma highs_round j : round_of (highs j) (highs_sum j) (INR j + INR K + 3).
Proof.
  destruct stair_facts as [F1 [F2 [_ [_ [_ [F6 _]]]]]].
  assert (P : forall i, 0 <= stair_pos (High i)).
  { intros i. cbn [stair_pos]. pose proof (pos_INR (S i)). nra. }
  induction j as [|j IH].
  - replace (highs_sum 0) with (stair_pos (High 0) + downs_sum K)
      by (unfold highs_sum; cbn [stair_pos]; simpl (INR 1); field).
    replace (INR 0 + INR K + 3) with (INR K + 2 + 1) by (simpl; ring).
    apply (is_round_flat _ _ (High 0)); [apply P|apply downs_round].
  - replace (highs_sum (S j)) with (stair_pos (High (S j)) + highs_sum j).
    + replace (INR (S j) + INR K + 3) with (INR j + INR K + 3 + 1) by (rewrite S_INR; ring).
      apply (is_round_flat _ _ (High (S j))); [apply P|exact IH].
    + unfold highs_sum. cbn [stair_pos]. rewrite (S_INR (S j)). field. Qed.

Lemma stair_one s : wtot (stair_step s) = 1.
Proof. destruct stair_is_sgd as [_ H _ _ _ _ _ _ _ _ _]. apply H. Qed.

Lemma downs_path k : forall n F x, (forall l, F (downs k ++ l) = x) -> EP stair_step (k + 1 + n) (Down k) F = x.
Proof.
  induction k as [|k IH]; intros n F x H.
  - cbn [Nat.add EP stair_step Esum].
    rewrite (EP_ext _ stair_step n _ _ (fun _ => x)); [rewrite EP_const; [ring|apply stair_one]|].
    intros l _. apply (H l).
  - cbn [Nat.add EP stair_step Esum]. rewrite (IH n _ x); [ring|]. intros l. apply (H l). Qed.
Lemma highs_path j : forall n F x, (forall l, F (highs j ++ l) = x) ->
  EP stair_step (j + 1 + (K + 1 + n)) (High j) F = x.
Proof.
  induction j as [|j IH]; intros n F x H.
  - change (0 + 1 + (K + 1 + n))%nat with (S (K + 1 + n)). cbn [EP stair_step Esum].
    rewrite (downs_path K n _ x); [ring|]. intros l. apply (H l).
  - change (S j + 1 + (K + 1 + n))%nat with (S (j + 1 + (K + 1 + n))). cbn [EP stair_step Esum].
    rewrite (IH n _ x); [ring|]. intros l. apply (H l). Qed.

(* the expected average of the round from Start *)
Definition early_mean : R := (start_height c nu + stair_height - stair_theta) / 3.
Definition long_mean : R := (start_height c nu + downs_sum K) / (INR K + 4).
Definition high_mean : R := (start_height c nu + highs_sum J) / (INR J + INR K + 4).
Definition stair_mean : R :=
  (1 - stair_q) * (alpha / stair_theta * early_mean + nu / stair_theta * long_mean) + stair_q * high_mean.

Lemma stair_mean_exact n : (J + K + 3 <= n)%nat ->
  EP stair_step n Start (round_mean stair_node stair_pos) = stair_mean.
Proof.
  intros Hn. destruct stair_facts as [F1 _].
  assert (W : 0 <= stair_pos Start) by (cbn [stair_pos]; lra).
  assert (Z : 0 <= stair_pos Zero) by (cbn [stair_pos]; lra).
  destruct n as [|[|n]]; try lia. cbn [EP stair_step Esum]. cbn [stair_step Esum].
  rewrite (EP_ext _ stair_step n Early _ (fun _ => early_mean)), EP_const; [|apply stair_one|].
  2:{ intros l _. unfold early_mean.
    replace ((start_height c nu + stair_height - stair_theta) / 3)
      with ((stair_pos Start + (stair_pos Zero + stair_pos Early)) / (1 + 1 + 1)) by (cbn [stair_pos]; field).
    apply (is_round_mean _ _ [Start; Zero; Early] l). apply is_round_flat; [exact W|].
    apply is_round_flat; [exact Z|].
    apply is_round_sharp. cbn [stair_pos]. unfold stair_theta. lra. }
  replace n with (K + 1 + (n - K - 1))%nat at 1 by lia. rewrite (downs_path K _ _ long_mean).
  2:{ intros l. unfold long_mean.
    replace (start_height c nu + downs_sum K) with (stair_pos Start + (stair_pos Zero + downs_sum K))
      by (cbn [stair_pos]; ring).
    replace (INR K + 4) with (INR K + 2 + 1 + 1) by ring.
    apply (is_round_mean _ _ (Start :: Zero :: downs K) l). apply is_round_flat; [exact W|].
    apply is_round_flat; [exact Z|]. apply downs_round. }
  assert (E : EP stair_step (S n) (High J) (fun l => round_mean stair_node stair_pos (Start :: l)) = high_mean).
  { replace (S n) with (J + 1 + (K + 1 + (n - J - K - 1)))%nat by lia. apply highs_path. intros l. unfold high_mean.
    change (start_height c nu) with (stair_pos Start).
    replace (INR J + INR K + 4) with (INR J + INR K + 3 + 1) by ring.
    apply (is_round_mean _ _ (Start :: highs J) l). apply is_round_flat; [exact W|]. apply highs_round. }
  cbn [EP stair_step] in E. rewrite E. unfold stair_mean. ring. Qed.

(* the long rounds contribute at most (w + top (J + 1))/K, the early one a fixed negative amount *)
Lemma stair_mean_bound : stair_mean <=
  (1 - stair_q) * (alpha / stair_theta) * early_mean + (start_height c nu + stair_top * INR (S J)) * stair_height.
Proof.
  destruct stair_facts as [F1 [F2 [F3 [F4 [F5 [F6 [F7 F8]]]]]]].
  assert (HK1 : 1 <= INR K) by (apply (le_INR 1); exact HK).
  assert (HJ0 : 0 <= INR J) by apply pos_INR.
  assert (HJ1 : 1 <= INR (S J)) by (apply (le_INR 1); lia).
  set (R0 := start_height c nu + stair_top * INR (S J)).
  assert (HR : 0 < R0) by (unfold R0; nra).
  assert (D0 : downs_sum K <= 0).
  { unfold downs_sum.
    replace (stair_b * (INR K * (INR K + 1) / 2)) with ((INR K * stair_b * INR K + INR K * stair_b) / 2)
      by field. rewrite F3. replace (stair_height * INR K) with 1 by (unfold stair_height; field; lra). lra. }
  assert (B : forall sum terms, sum <= R0 -> INR K <= terms -> sum / terms <= R0 * stair_height).
  { intros sum terms H1 H2. assert (0 < / terms) by (apply Rinv_0_lt_compat; lra).
    apply Rle_trans with (R0 * / terms); [apply Rmult_le_compat_r; lra|].
    apply Rmult_le_compat_l; [lra|]. unfold stair_height. apply Rinv_le_contravar; lra. }
  assert (L1 : long_mean <= R0 * stair_height) by (unfold long_mean; apply B; [unfold R0; nra|lra]).
  assert (L2 : high_mean <= R0 * stair_height).
  { unfold high_mean. apply B; [|lra]. unfold R0, highs_sum.
    replace (stair_length * (INR (S J) * (INR (S J) + 1) / 2))
      with (INR (S J) * stair_length * (INR (S J) + 1) / 2) by field.
    rewrite F7. assert (0 <= (INR (S J) - 1) * (stair_top - stair_height)) by (apply Rmult_le_pos; nra). nra. }
  assert (P0 : 0 <= nu / stair_theta <= 1).
  { split; [apply Rmult_le_pos; [lra|left; apply Rinv_0_lt_compat; lra]|].
    apply Rmult_le_reg_r with stair_theta; [lra|]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra.
    unfold stair_theta. lra. }
  assert (X0 : 0 <= R0 * stair_height) by nra.
  unfold stair_mean.
  assert (Y1 : nu / stair_theta * long_mean <= R0 * stair_height).
  { apply Rle_trans with (nu / stair_theta * (R0 * stair_height)); [apply Rmult_le_compat_l; lra|].
    rewrite <- (Rmult_1_l (R0 * stair_height)) at 2. apply Rmult_le_compat_r; lra. }
  assert (Y2 : (1 - stair_q) * (nu / stair_theta * long_mean) <= (1 - stair_q) * (R0 * stair_height))
    by (apply Rmult_le_compat_l; lra).
  assert (Y3 : stair_q * high_mean <= stair_q * (R0 * stair_height)) by (apply Rmult_le_compat_l; lra).
  lra. Qed.
End Stairs.

(* ---- the threshold is exact ---- *)
(* For nu > 1/2 and every c with 1 < w_min = c - 1 - 2 nu < theta there are J and K such that the round from w_min in
   the process above has a negative expected average. *)
Theorem per_round_sharp_noisy nu c : 1 / 2 < nu -> 2 + 2 * nu < c < PerRound.per_round_threshold nu ->
  let alpha := Rmin 1 nu in
  exists K J, (1 <= K)%nat /\
    sgd stair_node (stair_step alpha nu c K J) (stair_pos alpha nu c K J) (stair_slope alpha nu c K J)
      1 1 (stair_b K) c c nu /\
    round_start stair_node (stair_step alpha nu c K J) (stair_pos alpha nu c K J) (1 * (1 + nu)) Start /\
    (forall n, (J + K + 3 <= n)%nat -> EP (stair_step alpha nu c K J) n Start
      (round_mean stair_node (stair_pos alpha nu c K J)) = stair_mean alpha nu c K J) /\
    stair_mean alpha nu c K J < 0.
Proof.
  intros Hnu Hc alpha.
  assert (Ha : 0 < alpha <= 1 /\ alpha <= nu).
  { unfold alpha. repeat split; [apply Rmin_glb_lt; lra|apply Rmin_l|apply Rmin_r]. }
  assert (Et : PerRound.per_round_threshold nu = 1 + 2 * nu + stair_theta alpha nu).
  { destruct (PerRound.per_round_threshold_values nu) as [_ [T2 T3]]. unfold stair_theta, alpha, Rmin.
    destruct (Rle_dec 1 nu); [rewrite T3|rewrite T2]; lra. }
  rewrite Et in Hc. set (theta := stair_theta alpha nu) in *. set (w := start_height c nu).
  assert (Hw : 1 < w < theta) by (unfold w, start_height; lra).
  set (top := stair_top nu c). assert (Htop : 0 < top) by (unfold top, stair_top; fold w; lra).
  destruct (INR_above top) as [J HJ'].
  assert (HJ : top <= INR (S J)) by (rewrite S_INR; lra).
  assert (Hth : 0 < theta) by (unfold theta, stair_theta; lra).
  assert (Hq : stair_q nu c < 1).
  { apply Rmult_lt_reg_r with top; [lra|]. unfold stair_q, Rdiv. fold top. rewrite Rmult_assoc, Rinv_l by lra.
    unfold top, stair_top. lra. }
  set (kappa := (1 - stair_q nu c) * (alpha / theta)).
  assert (Hk : 0 < kappa).
  { unfold kappa. apply Rmult_lt_0_compat; [lra|]. apply Rmult_lt_0_compat; [lra|apply Rinv_0_lt_compat; lra]. }
  set (gain := kappa * (theta - w) / 3). assert (Hg : 0 < gain) by (unfold gain; nra).
  set (loss := kappa / 3 + (w + top * INR (S J))).
  assert (Hl : 0 < loss) by (unfold loss; pose proof (pos_INR (S J)); nra).
  set (x := loss / gain + 2 / alpha + (INR (S J) + 1) / top + 1).
  assert (P1 : 0 < loss / gain) by (apply Rdiv_lt_0_compat; auto).
  assert (P2 : 0 < 2 / alpha) by (apply Rdiv_lt_0_compat; lra).
  assert (P3 : 0 < (INR (S J) + 1) / top) by (apply Rdiv_lt_0_compat; pose proof (pos_INR (S J)); lra).
  destruct (INR_above x) as [K HKx]. exists K, J.
  assert (HK : (1 <= K)%nat) by (apply INR_le; simpl (INR 1); unfold x in HKx; lra).
  assert (Hb : forall u v, 0 < v -> u / v < INR K -> u * stair_height K < v).
  { intros u v Hv H. unfold stair_height. apply Rmult_lt_reg_r with (INR K); [unfold x in HKx; lra|].
    rewrite Rmult_assoc, Rinv_l by (unfold x in HKx; lra). rewrite Rmult_1_r.
    replace u with (u / v * v) by (field; lra). rewrite (Rmult_comm v). apply Rmult_lt_compat_r; auto. }
  assert (C1 : loss * stair_height K < gain) by (apply Hb; [auto|unfold x in HKx; lra]).
  assert (C2 : 2 * stair_height K <= alpha) by (left; apply Hb; [lra|unfold x in HKx; lra]).
  assert (C3 : (INR (S J) + 1) * stair_height K <= top) by (left; apply Hb; [auto|unfold x in HKx; lra]).
  split; [exact HK|]. split; [apply stair_is_sgd; auto; lra|]. split.
  { exists Before, (1 / 2). simpl. repeat split; [lra|lra|left; reflexivity]. }
  split; [intros n Hn; apply stair_mean_exact; auto; lra|].
  eapply Rle_lt_trans; [apply stair_mean_bound; auto; lra|].
  fold theta. fold kappa. fold w. fold top. unfold early_mean. fold w. fold theta.
  unfold gain, loss in C1. nra. Qed.

(* Refuted below the threshold 1 + 2 nu + theta of (C), that is 2 + 2 nu, 1 + 4 nu or 2 + 3 nu: for EVERY c below it
   there is a b0 > 0 such that for all b in (0, b0] there are an SGD process, a prepared start s on the flat side and
   a negative m such that the average of the round from s, over n steps, has expectation m for all n large enough. *)
Theorem per_round_threshold_exact_as_b_vanishes nu c : 0 <= nu -> c < PerRound.per_round_threshold nu ->
  exists b0, 0 < b0 /\ forall b, 0 < b <= b0 ->
  exists (S : Type) (step : S -> list (R * S)) (pos g : S -> R) (B : R) (s : S) (m : R) (n0 : nat),
    sgd S step pos g 1 1 b B c nu /\ round_start S step pos (1 * (1 + nu)) s /\ 0 <= pos s /\ m < 0 /\
    forall n, (n0 <= n)%nat -> EP step n s (round_mean S pos) = m.
Proof.
  intros Hn Hc. destruct (PerRound.per_round_threshold_values nu) as [T1 [T2 T3]].
  destruct (Rle_dec nu (1 / 2)) as [Hs|Hs].
  - rewrite T1 in Hc by exact Hs. exists (1 / 2). split; [lra|]. intros b Hb.
    destruct (per_round_threshold_exact b c nu) as [S [step [pos [g [B [s [m [H1 [H2 [H3 [H4 H5]]]]]]]]]]]; [lra..|].
    exists S, step, pos, g, B, s, m, 2%nat. auto.
  - assert (HT : 2 + 2 * nu < PerRound.per_round_threshold nu)
      by (destruct (Rle_dec nu 1); [rewrite T2|rewrite T3]; lra).
    set (d := Rmax c ((2 + 2 * nu + PerRound.per_round_threshold nu) / 2)).
    assert (Hd : c <= d /\ 2 + 2 * nu < d /\ d < PerRound.per_round_threshold nu).
    { unfold d. repeat split; [apply Rmax_l|eapply Rlt_le_trans; [|apply Rmax_r]; lra|apply Rmax_lub_lt; lra]. }
    destruct (per_round_sharp_noisy nu d) as [K [J [HK [P [Q [E M]]]]]]; [lra..|].
    exists (stair_b K). split; [destruct P; assumption|]. intros b Hb.
    exists stair_node, (stair_step (Rmin 1 nu) nu d K J), (stair_pos (Rmin 1 nu) nu d K J),
      (stair_slope (Rmin 1 nu) nu d K J), d, Start, (stair_mean (Rmin 1 nu) nu d K J), (J + K + 3)%nat.
    split; [eapply sgd_weaken; [exact P|lra..]|]. split; [exact Q|].
    split; [simpl; unfold start_height; lra|]. auto. Qed.
